// A range around the submission of a task, named for it, for Nsight Systems.
#pragma once

#include <nvtx3/nvToolsExt.h>

#include <string>

#include "core/graph/program.h"

namespace parley::exec::cuda {

class ProfilerRange {
 public:
  /// Does nothing unless `is_wanted`: names cost time.
  ProfilerRange(const core::Program& program, core::TaskId task, bool is_wanted)
      : is_open_(is_wanted) {
    if (is_open_) nvtxRangePushA(std::string(program.task_name(task)).c_str());
  }
  ~ProfilerRange() {
    if (is_open_) nvtxRangePop();
  }
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  bool is_open_;
};

}  // namespace parley::exec::cuda
