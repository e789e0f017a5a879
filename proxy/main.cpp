#include "proxy/command/command_line.hpp"
#include "proxy/command/serve.hpp"

#include <iostream>

int main(int argc, char** argv) {
  using namespace archway::proxy;
  return run(argc, argv, {std::cout, std::cerr, Environment::of_process(), serve});
}
