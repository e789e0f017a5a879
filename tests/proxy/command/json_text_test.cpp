#include "proxy/command/json_text.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <string>

namespace archway::proxy {
namespace {

namespace json = boost::json;

TEST_CASE("JSON for people has its members in their order, and short lists on a line") {
  const auto value =
      json::parse(R"({"b":[1,"two",null],"a":{"c":[],"d":{}},"e":[{"f":true},[2.5]],"g\"h":-3})");
  const std::string want = R"({
  "b": [1, "two", null],
  "a": {
    "c": [],
    "d": {}
  },
  "e": [
    {
      "f": true
    },
    [2.5E0]
  ],
  "g\"h": -3
}
)";
  CHECK(pretty_json(value) == want);
  CHECK(json::parse(pretty_json(value)) == value);
  CHECK(pretty_json(json::parse("7")) == "7\n");
}

TEST_CASE("an admin answer is an object, or an error in the gateway's words") {
  const auto good = read_admin_json({.status = 200, .body = "{\"a\":1}\n"});
  REQUIRE(good);
  CHECK(number_in(*good, "a") == 1);
  struct Row {
    const char* why;
    AdminAnswer answer;
    const char* want;
  };
  const Row rows[] = {
      {"its own shape",
       {400, R"({"error":"no such image"})"},
       "the gateway answers 400: no such image"},
      {"registries' shape",
       {404, R"({"errors":[{"code":"A","message":"not here"}]})"},
       "the gateway answers 404: not here"},
      {"a text", {503, "draining\n"}, "the gateway answers 503: draining"},
      {"nothing", {500, ""}, "the gateway answers 500: "},
      {"no JSON",
       {200, "<html>"},
       "the gateway's answer is not what was asked for; is that archway's admin port?"},
      {"no object",
       {200, "[1]"},
       "the gateway's answer is not what was asked for; is that archway's admin port?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    const auto read = read_admin_json(row.answer);
    REQUIRE_FALSE(read);
    CHECK(read.error().message == row.want);
  }
}

TEST_CASE("an admin answer that should be a list is one") {
  const auto good = read_admin_list({.status = 200, .body = "[1,2]"});
  REQUIRE(good);
  CHECK(good->size() == 2);
  CHECK_FALSE(read_admin_list({.status = 200, .body = "{}"}));
  CHECK_FALSE(read_admin_list({.status = 404, .body = "[]"}));
}

TEST_CASE("members that are not there or of another kind are empty") {
  const auto object =
      json::parse(
          R"({"text":"a","number":7,"below":-7,"flag":true,"list":["a",1],"object":{"b":1}})")
          .as_object();
  CHECK(text_in(object, "text") == "a");
  CHECK(text_in(object, "number").empty());
  CHECK(text_in(object, "none").empty());
  CHECK(number_in(object, "number") == 7);
  CHECK(number_in(object, "below") == 0);
  CHECK(number_in(object, "text") == 0);
  CHECK(flag_in(object, "flag"));
  CHECK_FALSE(flag_in(object, "number"));
  CHECK(list_in(object, "list").size() == 2);
  CHECK(list_in(object, "object").empty());
  CHECK(texts_in(object, "list") == std::vector<std::string>{"a"});
  CHECK(object_in(object, "object").size() == 1);
  CHECK(object_in(object, "list").empty());
}

}  // namespace
}  // namespace archway::proxy
