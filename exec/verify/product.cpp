#include "exec/verify/product.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "exec/task_kernel.h"
#include "exec/verify/comparison.h"
#include "exec/verify/matrix_rows.h"
#include "exec/verify/parallel.h"
#include "exec/verify/sequential.h"

namespace parley::exec {
namespace {

using core::RegionId;
using core::TaskId;
using Vector = std::vector<double>;
using Alternatives = core::IdVector<TaskId, std::uint16_t>;

/// op(matrix).
struct Factor {
  RegionId matrix;
  bool is_transposed = false;
  auto operator<=>(const Factor&) const = default;
};

/// factor * op(A) op(B), as part of a written tile's final contents.
struct Term {
  Factor a, b;
  std::size_t target = 0;
  double factor = 1.0;
};

/// A written tile: the sum of its terms, and what is left of its initial contents.
struct Target {
  RegionId tile;
  double of_initial = 1.0;
  double flops_per_element = 0.0, scale = 0.0;  // what goes into an element: how much, how large
  Vector times_x;                               // as it must be
};

/// The program as sums of products, if it is nothing else.
class Reading {
 public:
  Reading(const core::Program& program, const Alternatives& alternatives)
      : program_(program), alternatives_(alternatives) {}

  std::vector<Term> terms;
  std::vector<Target> targets;

  bool read() {
    const std::vector<TaskId> order = sequential_order(program_);
    // From the last task to the first: what a later one scales the tile by is known then.
    for (auto task = order.rbegin(); task != order.rend(); ++task) {
      if (!read_task(*task)) return false;
    }
    return !terms.empty() && are_factors_kept() && are_targets_disjoint();
  }

 private:
  bool read_task(TaskId task) {
    const core::Kernel& kernel = kernel_of(program_, task, alternatives_[task]);
    if (kernel.size() != 1 || kernel[0].name != "gemm" || kernel[0].own != nullptr) return false;
    const core::KernelCall& call = kernel[0];
    const std::span<const core::Access> accesses = program_.accesses(task);
    if (accesses.size() != 3) return false;
    for (const core::KernelArgument& argument : call.arguments) {
      if (argument.is_scratch || argument.view != core::OperandView{}) return false;
      if (!is_matrix(accesses[argument.index].region)) return false;
    }
    const auto on = [&](const char* flag) { return *core::parameter_of(call, flag) > 0.5; };
    const core::Access& written = accesses[call.arguments[2].index];
    const auto [entry, is_new] = target_of_.try_emplace(written.region, targets.size());
    if (is_new) {
      targets.emplace_back();
      targets.back().tile = written.region;
    }
    Target& target = targets[entry->second];
    terms.push_back({{accesses[call.arguments[0].index].region, on("transpose_a")},
                     {accesses[call.arguments[1].index].region, on("transpose_b")},
                     entry->second,
                     *core::parameter_of(call, "alpha") * target.of_initial});
    target.of_initial *= *core::parameter_of(call, "beta");  // 0 where it is only written
    return true;
  }

  bool is_matrix(RegionId region) {
    const core::Array& array = program_.array(program_.region(region).array);
    const core::DType dtype = array.spec.dtype;
    if (dtype != core::DType::kFloat64 && dtype != core::DType::kFloat32) return false;
    if (dtype_ && *dtype_ != dtype) return false;
    dtype_ = dtype;
    return program_.region(region).box.rank() == 2;
  }

  [[nodiscard]] bool are_factors_kept() const {
    std::set<core::ArrayId> written;
    for (const Target& target : targets) written.insert(program_.region(target.tile).array);
    return std::ranges::all_of(terms, [&](const Term& term) {
      return std::ranges::all_of(std::array{term.a, term.b}, [&](const Factor& factor) {
        return !written.contains(program_.region(factor.matrix).array);
      });
    });
  }

  [[nodiscard]] bool are_targets_disjoint() const {
    std::map<core::ArrayId, std::vector<const core::Box*>> boxes;
    for (const Target& target : targets) {
      const core::Region& region = program_.region(target.tile);
      for (const core::Box* other : boxes[region.array]) {
        if (core::intersection(*other, region.box)) return false;
      }
      boxes[region.array].push_back(&region.box);
    }
    return true;
  }

  const core::Program& program_;
  const Alternatives& alternatives_;
  std::map<RegionId, std::size_t> target_of_;
  std::optional<core::DType> dtype_;
};

class Products {
 public:
  Products(const core::Program& program, const core::IdVector<core::ArrayId, ArrayContents>& arrays,
           Reading& reading, unsigned threads)
      : program_(program), arrays_(arrays), reading_(reading), threads_(thread_count(threads)) {
    std::int64_t widest = 0;
    for (const Target& target : reading.targets) widest = std::max(widest, extent(target.tile, 1));
    x_ = random_vector(static_cast<std::size_t>(widest));
  }

  ProductCheck run() {
    multiply_right_factors();
    multiply_left_factors();
    judge();
    std::set<core::ArrayId> judged;
    for (const Target& target : reading_.targets) {
      judged.insert(program_.region(target.tile).array);
    }
    check_.arrays.assign(judged.begin(), judged.end());
    std::sort(failures_.begin(), failures_.end());
    for (auto& [target, text] : failures_) check_.failures.push_back(std::move(text));
    return std::move(check_);
  }

 private:
  struct Image {  // op(B) x
    Vector vector;
    double greatest = 0.0;  // magnitude in B
  };

  [[nodiscard]] std::int64_t extent(RegionId region, std::size_t dim) const {
    return program_.region(region).box[dim].count;
  }
  /// work(i) for i below `count`, by several threads.
  template <class Work>
  void share(std::size_t count, Work&& work) const {
    std::atomic<std::size_t> next{0};
    in_parallel(threads_, [&](unsigned) {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    });
  }

  void multiply_right_factors() {
    for (const Term& term : reading_.terms) images_[term.b];
    std::vector<std::pair<const Factor, Image>*> entries;
    for (auto& entry : images_) entries.push_back(&entry);
    share(entries.size(), [&](std::size_t i) {
      const Factor& factor = entries[i]->first;
      Image& image = entries[i]->second;
      image.vector.assign(
          static_cast<std::size_t>(extent(factor.matrix, factor.is_transposed ? 1 : 0)), 0.0);
      MatrixRows(program_, nullptr).for_each(factor.matrix, [&](std::size_t r, Row row) {
        image.greatest = std::max(image.greatest, exec::greatest(row));
        if (factor.is_transposed) {
          add_to(image.vector.data(), x_[r], row);
        } else {
          image.vector[r] = dot(row, x_.data());
        }
      });
    });
  }

  /// Each left factor is made again once, and multiplies the images of all that it stands before.
  void multiply_left_factors() {
    for (Target& target : reading_.targets) {
      target.times_x.assign(static_cast<std::size_t>(extent(target.tile, 0)), 0.0);
    }
    std::map<RegionId, std::vector<const Term*>> terms_of;
    for (const Term& term : reading_.terms) terms_of[term.a.matrix].push_back(&term);
    std::vector<std::pair<RegionId, std::vector<const Term*>>> groups(terms_of.begin(),
                                                                      terms_of.end());
    share(groups.size(), [&](std::size_t i) { multiply(groups[i].first, groups[i].second); });
  }

  void multiply(RegionId matrix, const std::vector<const Term*>& terms) {
    std::vector<Vector> products;
    for (const Term* term : terms) {
      products.emplace_back(reading_.targets[term->target].times_x.size());
    }
    double most = 0.0;
    MatrixRows(program_, nullptr).for_each(matrix, [&](std::size_t r, Row row) {
      most = std::max(most, greatest(row));
      for (std::size_t t = 0; t < terms.size(); ++t) {
        const Vector& image = images_.at(terms[t]->b).vector;
        if (terms[t]->a.is_transposed) {
          add_to(products[t].data(), image[r], row);
        } else {
          products[t][r] = dot(row, image.data());
        }
      }
    });
    const std::scoped_lock lock(mutex_);
    for (std::size_t t = 0; t < terms.size(); ++t) {
      Target& target = reading_.targets[terms[t]->target];
      add_to(target.times_x.data(), terms[t]->factor, products[t]);
      const Image& image = images_.at(terms[t]->b);
      const auto depth = static_cast<double>(image.vector.size());
      target.flops_per_element += depth;
      target.scale += std::abs(terms[t]->factor) * depth * most * image.greatest;
    }
  }

  void judge() {
    share(reading_.targets.size(), [&](std::size_t i) {
      Target& target = reading_.targets[i];
      if (std::fpclassify(target.of_initial) != FP_ZERO) add_initial(target);
      Vector found(target.times_x.size());
      MatrixRows(program_, &arrays_).for_each(target.tile, [&](std::size_t r, Row row) {
        found[r] = dot(row, x_.data());
      });
      compare(i, target, found);
    });
  }

  void add_initial(Target& target) const {
    MatrixRows(program_, nullptr).for_each(target.tile, [&](std::size_t r, Row row) {
      target.times_x[r] += target.of_initial * dot(row, x_.data());
      target.scale += r == 0 ? std::abs(target.of_initial) * greatest(row) : 0.0;
    });
  }

  /// As rounding.h allows for an element; errors of a row's elements add up like independent ones.
  void compare(std::size_t number, const Target& target, const Vector& found) {
    const core::DType dtype = program_.array(program_.region(target.tile).array).spec.dtype;
    const auto width = static_cast<double>(extent(target.tile, 1));
    const double allowed = 10.0 * epsilon_of_matrix(dtype) *
                           std::sqrt((target.flops_per_element + width) * width) * target.scale;
    double worst = 0.0;
    std::size_t wrong = found.size();
    for (std::size_t r = 0; r < found.size(); ++r) {
      const double error = std::abs(found[r] - target.times_x[r]);
      if (!(error <= allowed) && wrong == found.size()) wrong = r;
      worst = std::max(worst, error);
    }
    const std::scoped_lock lock(mutex_);
    if (wrong == found.size()) {
      check_.worst = std::max(check_.worst, allowed > 0.0 ? worst / allowed : 0.0);
      return;
    }
    failures_.emplace_back(number, program_.region_text(target.tile) + ": row " +
                                       std::to_string(wrong) + " times a random vector is " +
                                       number_text(found[wrong]) + ", expected " +
                                       number_text(target.times_x[wrong]) + "; rounding explains " +
                                       number_text(allowed));
  }

  const core::Program& program_;
  const core::IdVector<core::ArrayId, ArrayContents>& arrays_;
  Reading& reading_;
  unsigned threads_;
  Vector x_;
  std::map<Factor, Image> images_;
  std::mutex mutex_;
  std::vector<std::pair<std::size_t, std::string>> failures_;
  ProductCheck check_;
};

}  // namespace

std::optional<ProductCheck> check_products(
    const core::Program& program, const Alternatives& alternatives,
    const core::IdVector<core::ArrayId, ArrayContents>& arrays, unsigned threads) {
  Reading reading(program, alternatives);
  if (!reading.read()) return std::nullopt;
  return Products(program, arrays, reading, threads).run();
}

}  // namespace parley::exec
