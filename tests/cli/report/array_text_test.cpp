#include "cli/report/array_text.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "cli/report/number_text.h"

namespace parley::cli {
namespace {

using core::DType;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// An array that owns its numbers.
class Sample {
 public:
  template <class T>
  Sample(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& numbers)
      : dtype_(dtype), shape_(std::move(shape)), bytes_(numbers.size() * sizeof(T)) {
    if (!bytes_.empty()) std::memcpy(bytes_.data(), numbers.data(), bytes_.size());
  }

  [[nodiscard]] ArrayValues values() const { return {dtype_, shape_, bytes_}; }
  [[nodiscard]] std::string str() const { return str_text(values()); }
  [[nodiscard]] std::string repr() const { return array_text(values()); }
  [[nodiscard]] std::string json() const {
    std::ostringstream text;
    JsonWriter writer(text);
    write_values(values(), writer);
    return text.str();
  }

 private:
  DType dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<std::byte> bytes_;
};

Sample doubles(const std::vector<double>& numbers) {
  return {DType::kFloat64, {static_cast<std::int64_t>(numbers.size())}, numbers};
}

// What numpy 1.24 prints: str(array), and repr(array) with its line breaks taken out.

TEST_CASE("floating-point numbers are as short as numpy's, and of one width") {
  const std::pair<std::vector<double>, const char*> cases[] = {
      {{2, 2, 2, 2, 2}, "[2. 2. 2. 2. 2.]"},
      {{0.5, 0.25}, "[0.5  0.25]"},
      {{-1, 10.5, 0}, "[-1.  10.5  0. ]"},
      {{1.0 / 3}, "[0.33333333]"},
      {{0.1, 1000}, "[1.e-01 1.e+03]"},
      {{1, 1000}, "[   1. 1000.]"},
      {{1, 1001}, "[1.000e+00 1.001e+03]"},
      {{1e8}, "[1.e+08]"},
      {{0.00001}, "[1.e-05]"},
      {{kNan, 1, kInf, -kInf}, "[ nan   1.  inf -inf]"},
      {{kNan}, "[nan]"},
      {{0.1 + 0.2}, "[0.3]"},
      {{123456.789, 0.000123}, "[1.23456789e+05 1.23000000e-04]"},
      {{-0.0}, "[-0.]"}};
  for (const auto& [numbers, text] : cases) CHECK(doubles(numbers).str() == text);
}

TEST_CASE("other types of elements") {
  CHECK(Sample(DType::kFloat32, {2}, std::vector<float>{9.7818329e10F, 1.9527454e11F}).str() ==
        "[9.7818329e+10 1.9527454e+11]");
  CHECK(Sample(DType::kFloat16, {3}, std::vector<std::uint16_t>{0x2e66, 0x3c00, 0x4900}).str() ==
        "[ 0.1  1.  10. ]");
  CHECK(Sample(DType::kInt64, {3}, std::vector<std::int64_t>{-5, 100, 7}).str() == "[ -5 100   7]");
  CHECK(Sample(DType::kUint64, {1}, std::vector<std::uint64_t>{~0ULL}).str() ==
        "[18446744073709551615]");
  CHECK(Sample(DType::kBool, {2}, std::vector<std::uint8_t>{1, 0}).str() == "[ True False]");
  CHECK(
      Sample(DType::kComplex128, {2}, std::vector<std::complex<double>>{{1, 2}, {0.5, -1}}).str() ==
      "[1. +2.j 0.5-1.j]");
}

TEST_CASE("rows stand on lines of their own, blocks of them apart") {
  CHECK(Sample(DType::kInt64, {2, 2}, std::vector<std::int64_t>{1, 2, 3, 4}).str() ==
        "[[1 2]\n [3 4]]");
  CHECK(Sample(DType::kFloat64, {2, 1, 2}, std::vector<double>{1, 2, 3, 4}).str() ==
        "[[[1. 2.]]\n\n [[3. 4.]]]");
  CHECK(doubles({}).str() == "[]");
}

TEST_CASE("a single number is printed as Python does") {
  CHECK(Sample(DType::kFloat64, {}, std::vector<double>{5}).str() == "5.0");
  CHECK(Sample(DType::kFloat64, {}, std::vector<double>{1e-5}).str() == "1e-05");
  CHECK(Sample(DType::kInt32, {}, std::vector<std::int32_t>{-3}).str() == "-3");
  CHECK(Sample(DType::kBool, {}, std::vector<std::uint8_t>{1}).str() == "True");
  CHECK(Sample(DType::kComplex128, {}, std::vector<std::complex<double>>{{1, -2}}).str() ==
        "(1-2j)");
  CHECK(Sample(DType::kFloat64, {}, std::vector<double>{kNan}).str() == "nan");
}

TEST_CASE("lines end at 75 characters") {
  std::vector<double> numbers(25);
  std::iota(numbers.begin(), numbers.end(), 0.0);
  CHECK(doubles(numbers).str() ==
        "[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n"
        " 18. 19. 20. 21. 22. 23. 24.]");
}

TEST_CASE("more than 1,000 elements are abridged, and only those shown set the width") {
  std::vector<std::int64_t> numbers(1001);
  std::iota(numbers.begin(), numbers.end(), 0);
  numbers[500] = 1000000;
  CHECK(Sample(DType::kInt64, {1001}, numbers).str() == "[   0    1    2 ...  998  999 1000]");
  CHECK(Sample(DType::kInt64, {7, 143}, numbers).str() ==
        "[[   0    1    2 ...  140  141  142]\n [ 143  144  145 ...  283  284  285]\n"
        " [ 286  287  288 ...  426  427  428]\n ...\n"
        " [ 572  573  574 ...  712  713  714]\n [ 715  716  717 ...  855  856  857]\n"
        " [ 858  859  860 ...  998  999 1000]]");
  numbers.resize(1000);
  CHECK(Sample(DType::kInt64, {1000}, numbers).str().find("...") == std::string::npos);
}

TEST_CASE("in a dictionary an array takes one line") {
  CHECK(Sample(DType::kInt64, {2, 2}, std::vector<std::int64_t>{1, 2, 3, 4}).repr() ==
        "array([[1, 2], [3, 4]])");
  CHECK(Sample(DType::kFloat32, {1}, std::vector<float>{1}).repr() == "array([1.], dtype=float32)");
  CHECK(Sample(DType::kFloat64, {}, std::vector<double>{1}).repr() == "array(1.)");
  CHECK(doubles(std::vector<double>(40, 1.0)).repr().find('\n') == std::string::npos);
}

TEST_CASE("JSON has nested lists, and strings for what is no number there") {
  CHECK(Sample(DType::kFloat64, {2, 2}, std::vector<double>{1, 0.5, kNan, -kInf}).json() ==
        R"([[1,0.5],["nan","-inf"]])");
  CHECK(Sample(DType::kBool, {2}, std::vector<std::uint8_t>{1, 0}).json() == "[true,false]");
  CHECK(Sample(DType::kComplex64, {1}, std::vector<std::complex<float>>{{1, 2}}).json() ==
        "[[1,2]]");
  CHECK(Sample(DType::kFloat64, {}, std::vector<double>{3}).json() == "3");
  CHECK(Sample(DType::kFloat64, {2, 0}, std::vector<double>{}).json() == "[[],[]]");
}

TEST_CASE("the elements of a box are gathered in order") {
  const Sample sample(DType::kInt64, {3, 4},
                      std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const core::Range box[] = {{0, 2, 2}, {1, 2, 2}};
  const std::vector<std::byte> elements = elements_in(sample.values(), box);
  const std::int64_t shape[] = {2, 2};
  CHECK(str_text({DType::kInt64, shape, elements}) == "[[ 1  3]\n [ 9 11]]");
}

}  // namespace
}  // namespace parley::cli
