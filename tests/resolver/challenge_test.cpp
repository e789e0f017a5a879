#include "resolver/challenge.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace archway::resolver;
using Scheme = Challenge::Scheme;

namespace {

/// `bearer realm|service|scope|error; basic realm|…`, to compare with.
std::string shown(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const auto& c : challenges) {
    text += text.empty() ? "" : "; ";
    text += c.scheme == Scheme::basic ? "basic " : "bearer ";
    text += c.realm + "|" + c.service + "|" + c.scope + "|" + c.error;
  }
  return text;
}

}  // namespace

TEST_CASE("the challenges of WWW-Authenticate lines are read") {
  struct Row {
    std::string why;
    std::vector<std::string_view> lines;
    std::string want;
  };
  const Row rows[] = {
      {"Docker Hub's",
       {R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull")"},
       "bearer https://auth.docker.io/token|registry.docker.io|repository:library/alpine:pull|"},
      {"Basic", {R"(Basic realm="Registry Realm")"}, "basic Registry Realm|||"},
      {"Basic alone", {"Basic"}, "basic |||"},
      {"names in any case", {R"(bEARER REALM="r", Service=s)"}, "bearer r|s||"},
      {"spaces wherever they may stand",
       {"  Bearer \t realm = \"r\" ,\tservice = s  "},
       "bearer r|s||"},
      {"an escaped quote", {R"(Basic realm="a \"b\" \\c")"}, R"(basic a "b" \c|||)"},
      {"commas within quotes",
       {R"(Bearer realm="r",scope="a:b:pull,push")"},
       "bearer r||a:b:pull,push|"},
      {"an error", {R"(Bearer realm="r",error="invalid_token")"}, "bearer r|||invalid_token"},
      {"unknown parameters", {R"(Bearer x="y", realm="r", charset="UTF-8")"}, "bearer r|||"},
      {"two in one line",
       {R"(Basic realm="a", Bearer realm="b", service="c")"},
       "basic a|||; bearer b|c||"},
      {"one without parameters before another",
       {R"(Basic, Bearer realm="b")"},
       "basic |||; bearer b|||"},
      {"one a line",
       {R"(Negotiate)", R"(Basic realm="a")", R"(Bearer realm="b")"},
       "basic a|||; bearer b|||"},
      {"another scheme is passed over",
       {R"(Digest realm="x", nonce="y", Basic realm="a")"},
       "basic a|||"},
      {"another scheme with a token", {R"(Negotiate YII/a+b==, Basic realm="a")"}, "basic a|||"},
      {"empty elements",
       {R"(,, Basic realm="a" ,, , Bearer realm="b",)"},
       "basic a|||; bearer b|||"},
      {"nothing", {""}, ""},
      {"no lines", {}, ""},
      {"a parameter twice", {R"(Bearer realm="a", realm="b", Basic realm="c")"}, "basic c|||"},
      {"a quote left open", {R"(Basic realm="a", Bearer realm="b)"}, "basic a|||"},
      {"ends in an escape", {R"(Basic realm="a\)"}, ""},
      {"no value", {"Bearer realm="}, ""},
      {"two values", {R"(Bearer realm="a" "b")"}, ""},
      {"a control character", {"Basic realm=\"a\x01\""}, ""},
      {"rubbish", {"\"Basic\" realm"}, ""},
      {"a broken line does not spoil the next",
       {R"(Bearer realm=")", R"(Basic realm="a")"},
       "basic a|||"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CHECK(shown(read_challenges(row.lines)) == row.want);
  }
}

TEST_CASE("what exceeds a bound is no challenge") {
  const std::string long_value(challenge_bytes_max, 'a');
  CHECK(read_challenges({"Basic realm=" + long_value}).empty());
  CHECK(read_challenges({"Basic realm=a", long_value}).empty());

  std::string many = "Basic";
  for (std::size_t i = 1; i < challenges_max; ++i) many += ", Basic";
  CHECK(read_challenges({many}).size() == challenges_max);
  CHECK(read_challenges({many, "Basic"}).empty());

  std::string parameters = "Basic realm=a";
  for (std::size_t i = 1; i < challenge_parameters_max; ++i) {
    parameters += ", p" + std::to_string(i) + "=1";
  }
  CHECK(read_challenges({parameters}).size() == 1);
  CHECK(read_challenges({parameters + ", one=more"}).empty());
}

TEST_CASE("Bearer is answered before Basic, if it says where tokens are had") {
  CHECK(to_answer(read_challenges({R"(Basic realm="a", Bearer realm="b")"}))->realm == "b");
  CHECK(to_answer(read_challenges({R"(Bearer service="s", Basic realm="a")"}))->realm == "a");
  CHECK(to_answer(read_challenges({"Basic realm=a", "Basic realm=b"}))->realm == "a");
  CHECK(!to_answer(read_challenges({"Bearer service=s", "Negotiate"})));
  CHECK(!to_answer({}));
}
