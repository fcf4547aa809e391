// The program `parley`.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/run_cli.h"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return parley::cli::run_cli(arguments, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1);
}
