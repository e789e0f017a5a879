#include "proxy/command/command_line.hpp"
#include "proxy/command/serve.hpp"

#include <iostream>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace archway::proxy;
  return run(argc, argv,
             {.out = std::cout,
              .err = std::cerr,
              .environment = Environment::of_process(),
              .serve = serve,
              .in = &std::cin,
              .out_is_terminal = ::isatty(STDOUT_FILENO) != 0,
              .err_is_terminal = ::isatty(STDERR_FILENO) != 0});
}
