// Kernel tables and rates of devices, from kernels run one after the other over sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/machine/machine.h"
#include "exec/calibrate/laboratory.h"

namespace parley::exec {

/// Bytes of all arrays of so many repetitions.
std::int64_t array_bytes(const KernelProbe& probe, std::size_t repetitions);

class KernelTimes {
 public:
  /// Times of one device of each class go into `spec`.
  KernelTimes(const Laboratory& laboratory, core::MachineSpec& spec,
              const CalibrationOptions& options);

  struct Step {
    std::string what;
    std::function<void()> measure;
  };
  /// To be done in order.
  [[nodiscard]] std::vector<Step> steps();

 private:
  /// A kernel at a size; the size is what the kernel's table is looked up by.
  using MakeProbe = std::function<KernelProbe(std::int64_t size)>;
  struct Family {
    std::string kernel;
    std::vector<std::int64_t> sizes;
    MakeProbe make;
  };
  [[nodiscard]] std::vector<Family> families(core::DType dtype) const;
  void measure(core::DeviceId device, core::DType dtype, const Family& family);
  void add_share_steps(core::DeviceId device, std::vector<Step>& steps);
  void measure_share(core::DeviceId device, core::DType dtype, const Family& family);
  void take_saturation(core::DeviceId device);
  [[nodiscard]] std::optional<double> told_seconds(core::DeviceId device, core::DType dtype,
                                                   const std::string& kernel,
                                                   std::int64_t size) const;
  [[nodiscard]] Family hash_family(core::DType dtype) const;
  [[nodiscard]] Family spin_family() const;
  void take_rates(core::DeviceId device);
  void add_issue_steps(core::DeviceId device, std::vector<Step>& steps);
  void measure_issues_among(core::DeviceId device, const std::vector<Family>& families);
  void store_issues(const std::string& kernel, const std::string& device_class,
                    const std::string& dtype,
                    std::vector<std::pair<std::int64_t, core::Duration>> issues);
  [[nodiscard]] core::Duration issue_beyond_plain(core::DeviceId device, double seconds) const;
  [[nodiscard]] std::vector<double> products_for(core::DeviceId device, double seconds) const;
  void measure_power(core::DeviceId device);
  void slow_down(core::DeviceId device);
  [[nodiscard]] const std::vector<std::pair<std::int64_t, core::Duration>>* times(
      const std::string& kernel, const std::string& device_class, const std::string& dtype) const;

  const Laboratory& laboratory_;
  core::MachineSpec& spec_;
  bool is_quick_, is_sustained_;
  std::size_t streams_;
  core::KernelTable issues_;  // all that were measured; the spec has those that matter
};

}  // namespace parley::exec
