#include "resolver/model/error.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

using archway::Errc;
using archway::Origin;

namespace {

constexpr int last_code = static_cast<int>(Errc::configuration_invalid);

/// Source: OCI Distribution Spec v1.1, table "Error Codes". Clients print others as "unknown".
const std::set<std::string_view> registered = {"BLOB_UNKNOWN",
                                               "BLOB_UPLOAD_INVALID",
                                               "BLOB_UPLOAD_UNKNOWN",
                                               "DIGEST_INVALID",
                                               "MANIFEST_INVALID",
                                               "MANIFEST_UNKNOWN",
                                               "NAME_INVALID",
                                               "NAME_UNKNOWN",
                                               "SIZE_INVALID",
                                               "UNAUTHORIZED",
                                               "DENIED",
                                               "UNSUPPORTED",
                                               "TOOMANYREQUESTS",
                                               "MANIFEST_BLOB_UNKNOWN"};

}  // namespace

TEST_CASE("every error code has a registered name on the wire") {
  for (int code = 0; code <= last_code; ++code) {
    CAPTURE(code);
    CHECK(registered.count(wire_name(static_cast<Errc>(code))) == 1);
  }
}

TEST_CASE("every error code and origin has a log word of its own") {
  std::set<std::string_view> words;
  for (int code = 0; code <= last_code; ++code) words.insert(name(static_cast<Errc>(code)));
  CHECK(words.size() == last_code + 1);
  CHECK(words.count("unknown") == 0);
  CHECK(name(Errc::manifest_unknown) == "manifest_unknown");
  CHECK(name(Origin::client) == "client");
  CHECK(name(Origin::upstream) == "upstream");
  CHECK(name(Origin::storage) == "storage");
  CHECK(name(Origin::configuration) == "configuration");
}
