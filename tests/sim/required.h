// The value of a result that a test relies on; its faults, if there are any, fail the test.
#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "core/base/result.h"

namespace parley::sim {

template <class T>
T required(core::Result<T> result) {
  for (const core::Fault& fault : result.faults()) FAIL_CHECK(fault.where << ": " << fault.what);
  REQUIRE(result.has_value());
  return std::move(result).value();
}

}  // namespace parley::sim
