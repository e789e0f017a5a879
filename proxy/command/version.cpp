#include "proxy/command/version.hpp"

#include "proxy/version.hpp"

namespace archway::proxy {

int print_version(const Surroundings& surroundings) {
  surroundings.out << "archway " << version << "\n";
  return exits::ok;
}

}  // namespace archway::proxy
