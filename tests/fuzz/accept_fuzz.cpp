// Any lines as Accept: what is found lies in the lines, and six lines say what one line says.

#include "resolver/accept.hpp"
#include "resolver/model/media_type.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>
#include <vector>

using archway::fuzz::must;
namespace resolver = archway::resolver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = archway::fuzz::text_of(data, size);
  std::vector<std::string_view> lines;
  std::string joined;
  while (!rest.empty()) {
    lines.push_back(archway::fuzz::next_line(rest));
    joined += (joined.empty() ? "" : ",") + std::string(lines.back());
  }
  const auto apart = resolver::read_accept(lines);
  const auto together = resolver::read_accept({joined});
  must(apart.size() == together.size(), "lines may be joined");
  for (std::size_t i = 0; i < apart.size(); ++i) {
    must(apart[i].type == together[i].type && apart[i].refused == together[i].refused,
         "a range is the same on any line");
    must(apart[i].type.find('/') != std::string_view::npos &&
             apart[i].type.find_first_of(",;") == std::string_view::npos,
         "a range is one media range");
    // A type by its own name: whoever names it decides.
    const bool wild = apart[i].type.find('*') != std::string_view::npos;
    must(wild || apart[i].refused || resolver::accepts({apart[i]}, apart[i].type),
         "who names a type takes it");
  }
  must(!resolver::accepts({}, archway::media_type::oci_index), "nothing takes nothing");
  return 0;
}
