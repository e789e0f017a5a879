#include "proxy/config/keys.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

namespace archway::proxy {
namespace {

TEST_CASE("every key has a section in the table, a help of one line, and a place of its own") {
  std::set<std::string_view> paths;
  for (const Key& key : config_keys()) {
    CAPTURE(key.path);
    CHECK(paths.insert(key.path).second);
    CHECK_FALSE(key.help.empty());
    CHECK(key.help.size() <= 92);
    CHECK(key.help.find('\n') == std::string_view::npos);
    std::string_view section = key.path.substr(0, key.path.find_last_of('.'));
    if (section == key.path) continue;
    const bool entry = section.ends_with("[]");
    if (entry) section.remove_suffix(2);
    const Key* parent = find_key(section);
    REQUIRE(parent != nullptr);
    CHECK(parent->form == (entry ? Key::Form::list : Key::Form::section));
  }
}

TEST_CASE("sections and lists have keys, values have none") {
  for (const Key& key : config_keys()) {
    CAPTURE(key.path);
    const std::string path(key.path);
    CHECK(keys_in(path).empty() == (key.form != Key::Form::section));
    CHECK(keys_in(path + "[]").empty() == (key.form != Key::Form::list));
  }
}

TEST_CASE("paths are put together and taken apart") {
  CHECK(joined("", "cache") == "cache");
  CHECK(joined("upstreams[]", "url") == "upstreams[].url");
  CHECK(leaf(*find_key("listen[].tls.key")) == "key");
  CHECK(leaf(*find_key("drain")) == "drain");
  CHECK(find_key("nothing") == nullptr);
}

}  // namespace
}  // namespace archway::proxy
