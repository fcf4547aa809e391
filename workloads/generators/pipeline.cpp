// Pipeline-parallel training: a micro-batch passes through the stages forwards, then backwards,
// each stage with its weights on a GPU of its own. Activations stay with their stage until the
// backward pass needs them; gradients add up (Huang et al., "GPipe", 2019).
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize pipeline_size(const GeneratorValues& values) {
  const double stages = real_of(values, "stages"), batches = real_of(values, "micro_batches");
  const double steps = real_of(values, "steps");
  return {steps * stages * (2 * batches + 1), steps * stages * (9 * batches + 2)};
}

class Pipeline {
 public:
  explicit Pipeline(const GeneratorValues& values)
      : stages_(values.at("stages")),
        batches_(values.at("micro_batches")),
        steps_(values.at("steps")),
        gpus_(values.at("gpus")),
        builder_("pipeline", "pipeline-parallel training over stages"),
        forward_{"forward", {}, stated_cost(duration_of(values))},
        backward_{"backward", {}, stated_cost(duration_of(values) * 2)},
        update_{"update", {}, stated_cost(duration_of(values))} {
    weights_ = builder_.add_blocks("weights", stages_, values.at("weights"));
    gradients_ = builder_.add_blocks("gradients", stages_, values.at("weights"));
    // Between stages: batch b as it enters stage s, and the gradient that comes back there.
    activations_ = builder_.add_blocks("activation", (stages_ + 1) * batches_, values.at("block"));
    errors_ = builder_.add_blocks("error", stages_ * batches_, values.at("block"));
  }

  core::Result<core::Program> make() {
    for (std::int64_t step = 0; step < steps_; ++step) {
      for (std::int64_t b = 0; b < batches_; ++b) {
        for (std::int64_t s = 0; s < stages_; ++s) {
          builder_.spawn(forward_, {step, b, s},
                         {in(weights_[index(s)]), in(activation(s, b)), out(activation(s + 1, b))},
                         on_gpu(s % gpus_), steps_ - step);
        }
      }
      for (std::int64_t b = 0; b < batches_; ++b) {
        for (std::int64_t s = stages_ - 1; s >= 0; --s) backward(step, b, s);
      }
      for (std::int64_t s = 0; s < stages_; ++s) {
        builder_.spawn(update_, {step, s}, {inout(weights_[index(s)]), in(gradients_[index(s)])},
                       on_gpu(s % gpus_), steps_ - step);
      }
    }
    return std::move(builder_).finish();
  }

 private:
  static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] core::RegionView activation(std::int64_t stage, std::int64_t batch) const {
    return activations_[index(stage * batches_ + batch)];
  }
  [[nodiscard]] core::RegionView error(std::int64_t stage, std::int64_t batch) const {
    return errors_[index(stage * batches_ + batch)];
  }

  void backward(std::int64_t step, std::int64_t b, std::int64_t s) {
    // The last stage makes the first error itself; the first batch starts the sum of gradients.
    std::vector<core::Access> accesses = {in(weights_[index(s)]), in(activation(s, b)),
                                          in(activation(s + 1, b))};
    if (s + 1 < stages_) accesses.push_back(in(error(s + 1, b)));
    accesses.push_back(out(error(s, b)));
    accesses.push_back(b == 0 ? out(gradients_[index(s)]) : inout(gradients_[index(s)]));
    // Backward before forward: frees activations, as in one-forward-one-backward schedules.
    builder_.spawn(backward_, {step, b, s}, std::move(accesses), on_gpu(s % gpus_),
                   steps_ - step + 1);
  }

  std::int64_t stages_, batches_, steps_, gpus_;
  ProgramBuilder builder_;
  TaskFamily forward_, backward_, update_;
  std::vector<core::RegionView> weights_, gradients_, activations_, errors_;
};

core::Result<core::Program> make_pipeline(const GeneratorValues& values) {
  return Pipeline(values).make();
}

}  // namespace

void register_generator_pipeline(GeneratorRegistry& registry);
void register_generator_pipeline(GeneratorRegistry& registry) {
  registry.add(
      {"pipeline",
       "pipeline-parallel training: steps x stages x (2 x micro_batches + 1) tasks",
       {number_parameter("stages", 1, 1024, 4, "stages, one after the other on the GPUs"),
        gpu_count_parameter(), number_parameter("micro_batches", 1, 4096, 8, "in flight at a time"),
        number_parameter("steps", 1, 100'000, 2, "optimiser steps"),
        number_parameter("weights", 0, std::int64_t{1} << 40, std::int64_t{2} << 30,
                         "size of a stage's weights", "bytes"),
        block_parameter(64 << 20), duration_parameter(5'000'000)},
       pipeline_size,
       make_pipeline});
}

}  // namespace parley::workloads
