#include "proxy/admin/query.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

const std::vector<Parameter> allowed{{"image"}, {"digest", true}, {"check"}};

TEST_CASE("values are decoded, and a plus sign stays one") {
  struct Row {
    const char* why;
    std::string target;
    std::vector<std::string> want;  ///< of `digest`
  };
  for (const auto& row : std::vector<Row>{
           {"no query", "/x", {}},
           {"an empty one", "/x?", {}},
           {"empty pieces", "/x?&&digest=a&", {"a"}},
           {"in their order", "/x?digest=b&digest=a&digest=b", {"b", "a", "b"}},
           {"escaped", "/x?digest=a%2Fb%3a1", {"a/b:1"}},
           {"plus", "/x?digest=application/x+json", {"application/x+json"}},
           {"an equals sign in it", "/x?digest=linux/arm64=a", {"linux/arm64=a"}},
           {"a blank", "/x?digest=a%20b", {"a b"}},
           {"beyond ASCII",
            "/x?digest=k%C3%BCche",
            {"k\xc3\xbc"
             "che"}},
           {"nothing", "/x?digest=", {""}},
           {"not even that", "/x?digest", {""}},
       }) {
    CAPTURE(row.why);
    const auto query = Query::parse(row.target, allowed);
    REQUIRE(query);
    CHECK(query->all("digest") == row.want);
    CHECK(query->find("digest").has_value() == !row.want.empty());
  }
}

TEST_CASE("a wrong parameter is named, with what is allowed") {
  struct Row {
    const char* why;
    std::string target;
    const char* says;
  };
  for (const auto& row : std::vector<Row>{
           {"unknown", "/x?imgae=a", "no parameter \"imgae\" here; allowed: image, digest, check"},
           {"another case", "/x?Image=a", "no parameter \"Image\""},
           {"nameless", "/x?=a", "no parameter \"\""},
           {"unprintable", "/x?%1b=a", "no parameter \"%1b\""},
           {"twice", "/x?image=a&image=a", "parameter image: it stands there twice"},
           {"half an escape", "/x?image=%4", "parameter image: its value"},
           {"no escape", "/x?image=%zz", "parameter image: its value"},
           {"a line feed", "/x?image=a%0Ab", "parameter image: its value"},
           {"NUL", "/x?image=%00", "parameter image: its value"},
           {"DEL", "/x?image=%7F", "parameter image: its value"},
           {"a control of Latin-1", "/x?image=%C2%85", "parameter image: its value"},
           {"half of UTF-8", "/x?image=%C3", "parameter image: its value"},
           {"UTF-8 that is longer than it has to be", "/x?image=%C0%AF", "parameter image"},
           {"half of UTF-16", "/x?image=%ED%A0%80", "parameter image: its value"},
           {"beyond Unicode", "/x?image=%F4%90%80%80", "parameter image: its value"},
       }) {
    CAPTURE(row.why);
    const auto query = Query::parse(row.target, allowed);
    REQUIRE(!query);
    CHECK(query.error().code == Errc::request_invalid);
    CHECK(query.error().message.find(row.says) != std::string::npos);
  }
  const auto nothing = Query::parse("/x?a=1", {});
  REQUIRE(!nothing);
  CHECK(nothing.error().message.ends_with("none is allowed"));
}

TEST_CASE("what is needed is missed by its name and an example") {
  const auto query = Query::parse("/x?image=", allowed);
  const auto image = query->need("image", "docker.io/library/golang");
  REQUIRE(!image);
  CHECK(image.error().message ==
        "the parameter image: it is missing; write it like image=docker.io/library/golang");
  CHECK(*Query::parse("/x?image=a", allowed)->need("image", "b") == "a");
}

TEST_CASE("a flag is set by 1 or by its name alone") {
  struct Row {
    std::string target;
    std::optional<bool> want;
  };
  for (const auto& row : std::vector<Row>{{"/x", false},
                                          {"/x?check=0", false},
                                          {"/x?check=1", true},
                                          {"/x?check", true},
                                          {"/x?check=yes", std::nullopt}}) {
    CAPTURE(row.target);
    const auto flag = Query::parse(row.target, allowed)->flag("check");
    CHECK(flag.has_value() == row.want.has_value());
    if (flag && row.want) CHECK(*flag == *row.want);
    if (!flag) CHECK(flag.error().message.ends_with("found \"yes\"; allowed: 0 and 1"));
  }
}

TEST_CASE("what is shown of a client's words is short and harmless") {
  CHECK(shown("a\x1b\xc3\xbc") == "\"a???\"");
  CHECK(shown(std::string(101, 'a')) == "\"" + std::string(100, 'a') + "…\"");
  CHECK(shown(std::string(100, 'a')) == "\"" + std::string(100, 'a') + "\"");
}

}  // namespace
}  // namespace archway::proxy
