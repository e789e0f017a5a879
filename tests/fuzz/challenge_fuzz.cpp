// Any lines as WWW-Authenticate: within their bounds, and what was understood reads the same when
// it is written properly.

#include "resolver/challenge.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>
#include <vector>

using archway::fuzz::must;
using archway::resolver::Challenge;
namespace resolver = archway::resolver;

namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string written(const Challenge& challenge) {
  return std::string(challenge.scheme == Challenge::Scheme::bearer ? "Bearer" : "basic") +
         " realm=" + quoted(challenge.realm) + ", service=" + quoted(challenge.service) +
         ",SCOPE = " + quoted(challenge.scope) + " ,error=" + quoted(challenge.error);
}

bool same(const Challenge& a, const Challenge& b) {
  return a.scheme == b.scheme && a.realm == b.realm && a.service == b.service &&
         a.scope == b.scope && a.error == b.error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto rest = archway::fuzz::text_of(data, size);
  std::vector<std::string_view> lines;
  while (!rest.empty()) lines.push_back(archway::fuzz::next_line(rest));
  const auto challenges = resolver::read_challenges(lines);
  must(challenges.size() <= resolver::challenges_max, "challenges have a bound");
  must(size <= resolver::challenge_bytes_max + lines.size() || challenges.empty(),
       "too much of them is none");
  for (const auto& challenge : challenges) {
    const auto line = written(challenge);
    if (line.size() > resolver::challenge_bytes_max) continue;
    const auto again = resolver::read_challenges({line});
    must(again.size() == 1 && same(again.front(), challenge), "a challenge reads back");
  }
  const auto answered = resolver::to_answer(challenges);
  must(!answered || answered->scheme == Challenge::Scheme::basic || !answered->realm.empty(),
       "nobody asks nowhere for a token");
  return 0;
}
