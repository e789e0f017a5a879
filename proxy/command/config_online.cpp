#include "proxy/command/config_online.hpp"

#include "proxy/command/online.hpp"
#include "proxy/command/output.hpp"

#include <cstddef>
#include <string>

namespace archway::proxy {

int config_online(const Settings& settings, const Surroundings& surroundings) {
  const auto answers = ask_online(settings);
  if (!answers) return report(surroundings, "config check", answers.error());
  std::size_t problems = 0;
  for (const UpstreamAnswer& upstream : answers->upstreams) {
    surroundings.out << "upstream " << upstream.name << " (" << upstream.url << "): ";
    if (upstream.error) {
      ++problems;
      surroundings.out << "FAILED: " << upstream.error->message << "\n";
    } else {
      surroundings.out << "answers\n";
    }
  }
  for (const MemberAnswer& member : answers->members) {
    if (!member.error) continue;
    ++problems;
    surroundings.out << "image " << member.image << ": its member for " << member.platform << ", "
                     << member.member << ": MISSING: " << member.error->message << "\n";
  }
  surroundings.out << "asked: " << counted(answers->upstreams.size(), "upstream") << ", "
                   << counted(answers->members.size(), "member") << " of virtual images; "
                   << counted(problems, "problem") << "\n";
  return problems == 0 ? exits::ok : exits::partly;
}

}  // namespace archway::proxy
