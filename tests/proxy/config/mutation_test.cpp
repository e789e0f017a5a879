#include "proxy/config/defaults.hpp"
#include "proxy/config/print.hpp"
#include "tests/proxy/config/reading.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

/// Something of most sections, one thing a line.
const std::string sample = R"(listen:
  - address: 0.0.0.0:5000
  - address: 127.0.0.1:5007
    platform: linux/arm64
admin: 127.0.0.1:5001
drain: 25s
threads: 3
connections_max: 700
cache:
  directory: /srv/archway
  max_size: 50GiB
  keep_free: 1536MiB
  durability: relaxed
  scrub: 30d
  pin:
    - docker.io/library/alpine:3*
upstreams:
  - name: docker.io
    default: true
    credentials:
      username: me
      password: s3cret
    access: shared
  - name: ghcr.io
    url: https://ghcr.io
    hosts:
      - ghcr.lan
    token_realms:
      - auth.lan:81
tags:
  fresh_for: 5m
  stale_for: 36h
  rules:
    - match: "*/a:[0-9]"
      fresh_for: 1d
platforms:
  header: X-Arch
  trust:
    - 10.0.0.0/8
  hosts:
    a.lan: arm64
  clients:
    - from: 10.0.0.7
      platform: arm64
  user_agent: ignore
  default: linux/amd64
  answer: pass
  missing: refuse
  wrong: pass
  allow:
    - amd64
    - arm64
rewrite:
  architecture_organisations: true
prefetch:
  layers: true
  transfers: 9
timeouts:
  connect: 1500ms
  idle: 2m
log:
  level: error
  format: text
)";

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What a hand that slips makes of one line; "" takes it away.
using Slip = std::function<std::string(const std::string& line)>;

Slip value_becomes(const std::string& value) {
  return [value](const std::string& line) {
    const auto colon = line.find(": ");
    return line.substr(0, colon == std::string::npos ? line.size() : colon + 1) + " " + value;
  };
}

struct Mutation {
  const char* why;
  Slip slip;
};

const std::vector<Mutation> mutations{
    {"a letter too much in the key",
     [](const std::string& line) {
       const auto at = line.find_first_not_of(" -");
       return line.substr(0, at) + "q" + line.substr(at);
     }},
    {"the line is missing", [](const std::string&) { return ""; }},
    {"the line is there twice", [](const std::string& line) { return line + "\n" + line; }},
    {"one blank too much", [](const std::string& line) { return " " + line; }},
    {"a tab for blanks", [](const std::string& line) { return "\t" + line; }},
    {"no colon",
     [](const std::string& line) { return std::regex_replace(line, std::regex(":"), ""); }},
    {"no blank behind the colon",
     [](const std::string& line) { return std::regex_replace(line, std::regex(": "), ":"); }},
    {"nothing for a value", value_becomes("")},
    {"a list for a value", value_becomes("[1, [2]]")},
    {"a section for a value", value_becomes("{a: {b: c}}")},
    {"a quotation without its end", value_becomes("\"abc")},
    {"a number out of all bounds", value_becomes("99999999999999999999")},
    {"a number below zero", value_becomes("-1")},
    {"bytes that are no text", value_becomes("\x01\xff\xfe")},
    {"an alias that is nowhere", value_becomes("*nowhere")},
    {"a tag of another language", value_becomes("!!binary x")},
    {"a very long value", value_becomes(std::string(70'000, 'x'))},
};

/// Accepted, or refused with what is wrong, and where.
bool is_told_where(const ReadOutcome& outcome) {
  static const std::regex place("archway\\.yaml:[0-9]+:[0-9]+: [^\\n]{5,}");
  if (outcome.settings) return outcome.problems.empty();
  if (outcome.problems.empty()) return false;
  for (const auto& problem : outcome.problems) {
    if (problem.str().find("s3cret") != std::string::npos) return false;
    if (!std::regex_search(problem.str().substr(0, 500), place)) return false;
  }
  return true;
}

TEST_CASE(
    "a configuration with any line spoilt is used, or refused with the place of the mistake") {
  const auto lines = lines_of(sample);
  settings_of(sample);
  int tried = 0;
  int refused = 0;
  for (std::size_t spoilt = 0; spoilt < lines.size(); ++spoilt) {
    for (const auto& mutation : mutations) {
      std::string text;
      for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto line = i == spoilt ? mutation.slip(lines[i]) : lines[i];
        if (!line.empty()) text += line + "\n";
      }
      CAPTURE(mutation.why);
      CAPTURE(lines[spoilt]);
      const auto outcome = outcome_of(text);
      CHECK(is_told_where(outcome));
      ++tried;
      refused += outcome.settings ? 0 : 1;
    }
  }
  CHECK(tried >= 300);
  CHECK(refused > tried / 2);
}

TEST_CASE("a configuration that ends anywhere is used, or refused with the place where it ends") {
  for (std::size_t size = 0; size < sample.size(); size += 3) {
    CAPTURE(size);
    CHECK(is_told_where(outcome_of(sample.substr(0, size))));
  }
}

}  // namespace
}  // namespace archway::proxy
