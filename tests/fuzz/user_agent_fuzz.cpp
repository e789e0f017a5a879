// Any text as a User-Agent: what it is taken for was said in it, and a hint is a machine.

#include "resolver/user_agent.hpp"
#include "tests/fuzz/fuzz.hpp"

using archway::fuzz::must;
namespace resolver = archway::resolver;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  const auto agent = resolver::parse_user_agent(text);
  const auto& client = agent.client;  // Buildah's is written small, so that no rule needs to know.
  must(text.find(client == "buildah" ? "uildah" : client) != std::string_view::npos,
       "the client is named in it");
  must(text.find(agent.version) != std::string_view::npos, "the version is named in it");
  if (agent.platform) {
    must(!agent.platform->os.empty() && !agent.platform->architecture.empty(),
         "a platform has both parts");
  }
  const auto hint = resolver::hinted_platform(agent);
  must(!hint || agent.platform.has_value(), "a hint is something that was said");
  if (hint) must(archway::fuzz::printable(hint->str()), "a hint can be shown");
  return 0;
}
