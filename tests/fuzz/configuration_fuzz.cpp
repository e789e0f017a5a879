// Any text as a configuration: refused with a place in the file, or settings that print as a
// configuration of the same settings.

#include "proxy/config/print.hpp"
#include "proxy/config/read.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <optional>
#include <string>

using archway::fuzz::must;
namespace proxy = archway::proxy;

namespace {

proxy::ReadOutcome read(std::string_view text) {
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  return proxy::read_settings_text(text, "/nowhere/archway.yaml",
                                   {.variable = nothing, .root = true});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto outcome = read(archway::fuzz::text_of(data, size));
  must(outcome.settings.has_value() == outcome.problems.empty(), "settings, or why there are none");
  for (const auto& problem : outcome.problems) {
    must(problem.str().starts_with("/nowhere/archway.yaml"), "a problem has a place");
  }
  if (!outcome.settings) return 0;
  const auto printed = proxy::print_settings(*outcome.settings, false);
  const auto again = read(printed);
  must(again.settings.has_value(), "what is printed can be read:\n" + printed);
  must(proxy::print_settings(*again.settings, false) == printed, "what is read prints the same");
  return 0;
}
