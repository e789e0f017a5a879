#include "proxy/config/image_list.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

TEST_CASE("images are found in lists, compose files and Kubernetes manifests") {
  struct Row {
    const char* why;
    const char* text;
    std::vector<std::string> want;
  };
  const std::vector<Row> rows{
      {"a list",
       "alpine:3\nghcr.io/org/app@sha256:ab\n",
       {"alpine:3", "ghcr.io/org/app@sha256:ab"}},
      {"comments, blanks, CRLF and doubles in a list",
       "# ours\r\n\r\n  alpine:3  # small\r\nalpine:3\r\nbusybox\r\n",
       {"alpine:3", "busybox"}},
      {"a compose file",
       "services:\n  web:\n    image: nginx:1\n    ports: ['80:80']\n  db: {image: "
       "\"postgres:16\"}\n"
       "  built: {build: .}\n",
       {"nginx:1", "postgres:16"}},
      {"an anchor and its alias",
       "x-base: &base {image: a:1}\nservices:\n  one: *base\n  two: {image: b:2}\n",
       {"a:1", "b:2"}},
      {"a Pod",
       "kind: Pod\nspec:\n  initContainers: [{name: i, image: init:1}]\n  containers:\n"
       "    - name: a\n      image: app:1\n",
       {"init:1", "app:1"}},
      {"several documents, at any depth",
       "kind: Deployment\nspec: {template: {spec: {containers: [{image: a:1}]}}}\n---\n"
       "kind: List\nitems:\n- spec: {jobTemplate: {spec: {template: {spec: {containers: "
       "[{image: b:1}]}}}}}\n---\n",
       {"a:1", "b:1"}},
      {"JSON", R"({"spec": {"containers": [{"image": "a:1"}, {"name": "none"}]}})", {"a:1"}},
      {"what is called image elsewhere is none",
       "services: {a: {image: a:1}}\nmetadata: {image: not:this}\n",
       {"a:1"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto images = read_image_list(row.text, "file");
    REQUIRE_MESSAGE(images, images.error().message);
    CHECK(*images == row.want);
  }
}

TEST_CASE("what names no images says where and why") {
  struct Row {
    const char* why;
    std::string text;
    const char* want;
  };
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before +
            "]\n";
  }
  const std::vector<Row> rows{
      {"nothing", "", "file: there is no image in it"},
      {"comments alone", "# alpine\n", "file: there is no image in it"},
      {"YAML without images", "a: 1\nb: [2]\n", "file: there is no image in it"},
      {"no YAML", "a: 1\nb: [2\n", "file:"},
      {"a variable", "services:\n  a: {image: 'a:${TAG}'}\n", "file:2: found \"a:${TAG}\""},
      {"a variable in a list", "a:$TAG\n", "file:1: found"},
      {"too deep", deep + std::string(100, ']') + "\n", "nested too deeply"},
      {"aliases without end", bomb, "too many parts"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const auto images = read_image_list(row.text, "file");
    REQUIRE_FALSE(images);
    CHECK(images.error().code == Errc::request_invalid);
    CHECK(images.error().message.find(row.want) != std::string::npos);
    CAPTURE(images.error().message);
  }
}

}  // namespace
}  // namespace archway::proxy
