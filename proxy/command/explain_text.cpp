#include "proxy/command/explain_text.hpp"

#include "proxy/command/json_text.hpp"
#include "proxy/command/output.hpp"
#include "resolver/client_platform.hpp"

#include <array>

namespace archway::proxy {

namespace json = boost::json;

namespace {

std::string joined_texts(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

/// "as the client's address says", from the word of the source.
std::string who_said(const std::string& source) {
  using resolver::PlatformSource;
  constexpr std::array all = {PlatformSource::path,        PlatformSource::header,
                              PlatformSource::host,        PlatformSource::listener,
                              PlatformSource::certificate, PlatformSource::address,
                              PlatformSource::user_agent,  PlatformSource::fallback};
  for (const auto one : all) {
    if (resolver::name(one) == source) return std::string(resolver::phrase(one));
  }
  return {};
}

std::string name_step(const json::object& why) {
  const auto asked = text_in(why, "asked");
  const auto image = text_in(why, "image");
  if (asked.empty()) return {};
  std::string text = "Asked for " + asked + ".\n";
  if (const auto rule = text_in(why, "rewritten"); !rule.empty()) {
    text += "Looked for as " + image + ", rewritten by " + rule + ".\n";
  } else if (image != asked && !image.empty()) {
    text += "Looked for as " + image + ".\n";
  }
  return text;
}

std::string virtual_step(const json::object& why) {
  const auto& image = object_in(why, "virtual_image");
  if (image.empty()) return {};
  std::string members;
  for (const json::value& value : list_in(image, "members")) {
    if (!value.is_object()) continue;
    const auto& member = value.as_object();
    const auto reference = text_in(member, "reference");
    const char* between = reference.find(':') == std::string::npos ? ":" : "@";
    members += (members.empty() ? "" : ", ") + text_in(member, "platform") + " from " +
               text_in(member, "image") + (reference.empty() ? "" : between + reference);
  }
  return text_in(image, "name") + " is a virtual image: " + members + ".\n";
}

std::string client_step(const json::object& why) {
  const auto& client = object_in(why, "client");
  const auto platform = text_in(client, "platform");
  if (platform.empty()) return "Nobody says what platform the client is: it chooses for itself.\n";
  std::string text = "The client is " + platform;
  if (const auto who = who_said(text_in(client, "source")); !who.empty()) text += ", " + who;
  if (!flag_in(client, "resolves")) text += "; that decides nothing, it chooses for itself";
  text += ".\n";
  if (flag_in(client, "variant_unknown")) text += "Which arm it is was not said.\n";
  if (const auto conflict = text_in(client, "conflict"); !conflict.empty()) {
    text += "There is a conflict: " + conflict + ".\n";
  }
  if (const auto ladder = texts_in(why, "ladder"); !ladder.empty()) {
    text += "It runs, best first: " + joined_texts(ladder) + ".\n";
  }
  return text;
}

/// Without a verdict no policy was looked at: a digest gets its bytes.
std::string policy_step(const json::object& why) {
  const auto& policy = object_in(why, "policy");
  if (text_in(why, "verdict").empty() || policy.empty()) return {};
  std::string text = "The policy is answer: " + text_in(policy, "answer") +
                     ", missing: " + text_in(policy, "missing") +
                     ", wrong: " + text_in(policy, "wrong");
  if (const auto allow = texts_in(policy, "allow"); !allow.empty()) {
    text += ", allow: " + joined_texts(allow);
  }
  const auto rule = text_in(why, "policy_rule");
  return text + (rule.empty() ? "" : ", by the rule for " + rule) + ".\n";
}

std::string tag_step(const json::object& why) {
  const auto digest = text_in(why, "tag_digest");
  if (digest.empty()) return {};
  const auto outcome = text_in(why, "tag_outcome");
  std::string how;
  if (outcome == "hit") how = ", as the cache knows (it is fresh)";
  if (outcome == "miss" || outcome == "joined") how = ", as the upstream was just asked";
  if (outcome == "stale") how = ", as the cache remembers (it is stale, and the upstream fails)";
  return "The tag stands for " + digest + how + ".\n";
}

std::string entries_step(const json::object& why, bool terminal) {
  const auto& entries = list_in(why, "entries");
  if (entries.empty()) return {};
  Table table({"PLATFORM", "DIGEST", "SIZE", "NOTE"});
  for (const json::value& value : entries) {
    if (!value.is_object()) continue;
    const auto& entry = value.as_object();
    const auto platform = text_in(entry, "platform");
    table.row({platform.empty() ? "-" : platform, text_in(entry, "digest"),
               human_size(number_in(entry, "size")), text_in(entry, "note")});
  }
  return "The index has " + std::to_string(entries.size()) +
         (entries.size() == 1 ? " entry:\n" : " entries:\n") + table.str(terminal);
}

std::string verdict_step(const json::object& why) {
  const auto verdict = text_in(why, "verdict");
  const bool by_digest = text_in(why, "asked").find('@') != std::string::npos;
  if (verdict.empty()) return by_digest ? "Who asks by digest gets those very bytes.\n" : "";
  const auto reason = text_in(why, "reason");
  std::string meaning = verdict;
  if (verdict == "pass") meaning = "pass it on as it is";
  if (verdict == "child") meaning = "hand out one child of the index";
  if (verdict == "filter") meaning = "hand out an index of what the client runs";
  return "The verdict: " + meaning + (reason.empty() ? "" : ": " + reason) + ".\n";
}

/// As docker's command line has it: the code in small letters, then the message. Of 500 and above
/// it reads no words.
std::string refusal_step(const json::object& why, std::uint64_t status) {
  std::string code = text_in(why, "error_code");
  const auto message = text_in(why, "message");
  const auto number = std::to_string(status);
  if (status >= 500) return "The client gets " + number + ". The reason: " + message + "\n";
  const std::string text = "The client gets " + number + " " + code + ".\n";
  for (char& c : code) c = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text + "docker pull ends with: " + code + ": " + message + "\n";
}

std::string cached_step(const json::object& why) {
  std::uint64_t parts = 0;
  std::uint64_t here = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_here = 0;
  for (const json::value& value : list_in(why, "parts")) {
    if (!value.is_object()) continue;
    const auto size = number_in(value.as_object(), "size");
    ++parts;
    bytes += size;
    if (!flag_in(value.as_object(), "cached")) continue;
    ++here;
    bytes_here += size;
  }
  const std::string text =
      std::string("Its manifest was ") + (flag_in(why, "cached") ? "" : "not ") + "in the cache";
  if (parts == 0) return text + ".\n";
  return text + "; of its " + std::to_string(parts) + " blobs " + std::to_string(here) +
         (here == 1 ? " is (" : " are (") + human_size(bytes_here) + " of " + human_size(bytes) +
         ").\n";
}

std::string answer_step(const json::object& why) {
  const auto status = number_in(why, "status");
  if (status != 200) return refusal_step(why, status);
  std::string text = "The client gets " + text_in(why, "digest") + ", " +
                     text_in(why, "media_type") + ", " + human_size(number_in(why, "size")) + ".\n";
  if (const auto warning = text_in(why, "warning"); !warning.empty()) {
    text += "With a warning: " + warning + "\n";
  }
  return text + cached_step(why);
}

}  // namespace

std::string explain_text(const json::object& explanation, bool terminal) {
  return name_step(explanation) + virtual_step(explanation) + client_step(explanation) +
         policy_step(explanation) + tag_step(explanation) + entries_step(explanation, terminal) +
         verdict_step(explanation) + answer_step(explanation);
}

}  // namespace archway::proxy
