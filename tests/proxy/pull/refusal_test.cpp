#include "proxy/pull/refusal.hpp"

#include "proxy/http/error_field.hpp"
#include "proxy/upstream/status.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

std::string text_of(const Response& response) {
  return *std::get<BytesBody>(response.body);
}

struct Row {
  Errc code;
  std::uint16_t status;
  const char* wire;
};

const std::vector<Row> rows{
    {Errc::blob_unknown, 404, "BLOB_UNKNOWN"},
    {Errc::digest_invalid, 400, "DIGEST_INVALID"},
    {Errc::manifest_invalid, 502, "MANIFEST_INVALID"},
    {Errc::manifest_unknown, 404, "MANIFEST_UNKNOWN"},
    {Errc::name_invalid, 400, "NAME_INVALID"},
    {Errc::name_unknown, 404, "NAME_UNKNOWN"},
    {Errc::denied, 403, "DENIED"},
    {Errc::unauthorized, 401, "UNAUTHORIZED"},
    {Errc::unsupported, 405, "UNSUPPORTED"},
    {Errc::request_invalid, 400, "UNSUPPORTED"},
    {Errc::range_unsatisfiable, 416, "UNSUPPORTED"},
    {Errc::platform_invalid, 400, "UNSUPPORTED"},
    {Errc::upstream_unreachable, 504, "UNSUPPORTED"},
    {Errc::upstream_failed, 502, "UNSUPPORTED"},
    {Errc::upstream_busy, 503, "TOOMANYREQUESTS"},
    {Errc::overloaded, 503, "TOOMANYREQUESTS"},
    {Errc::storage_failed, 500, "UNSUPPORTED"},
    {Errc::configuration_invalid, 500, "UNSUPPORTED"},
};

TEST_CASE("every error is a status, a registered code and its message") {
  for (const auto& row : rows) {
    CAPTURE(name(row.code));
    const Error error{.code = row.code, .message = "what to do", .context = "secret path"};
    CHECK(status_of(error) == row.status);
    const auto response = refusal(error);
    CHECK(response.status == row.status);
    CHECK(response.fields.find("Content-Type") == "application/json");
    CHECK(response.fields.find("Docker-Distribution-Api-Version") == "registry/2.0");
    CHECK(text_of(response) == "{\"errors\":[{\"code\":\"" + std::string(row.wire) +
                                   "\",\"message\":\"what to do\"}]}\n");
    CHECK(response.fields.find(error_field) == "what to do");
    CHECK(response.close == (row.status == 405));
    CHECK(response.fields.contains("Allow") == (row.status == 405));
    // Nothing else challenges: dockerd would answer with Docker Hub's credentials.
    CHECK(response.fields.contains("WWW-Authenticate") == (row.status == 401));
    CHECK(response.fields.contains("Retry-After") == (row.status == 503));
  }
  CHECK(rows.size() == static_cast<std::size_t>(Errc::configuration_invalid) + 1);
}

TEST_CASE("what an upstream says reaches the client as it means") {
  struct Meaning {
    unsigned upstream;
    Wanted wanted;
    std::uint16_t client;
    const char* wire;
  };
  for (const auto& row : std::vector<Meaning>{
           {404, Wanted::manifest, 404, "MANIFEST_UNKNOWN"},
           {404, Wanted::blob, 404, "BLOB_UNKNOWN"},
           {404, Wanted::tags, 404, "NAME_UNKNOWN"},
           {410, Wanted::manifest, 404, "MANIFEST_UNKNOWN"},
           {401, Wanted::manifest, 403, "DENIED"},
           {403, Wanted::blob, 403, "DENIED"},
           {429, Wanted::manifest, 503, "TOOMANYREQUESTS"},
           {503, Wanted::blob, 503, "TOOMANYREQUESTS"},
           {500, Wanted::manifest, 502, "UNSUPPORTED"},
           {502, Wanted::blob, 502, "UNSUPPORTED"},
           {504, Wanted::manifest, 502, "UNSUPPORTED"},
           {418, Wanted::manifest, 502, "UNSUPPORTED"},
           {204, Wanted::manifest, 502, "UNSUPPORTED"},
       }) {
    CAPTURE(row.upstream);
    AnswerHead head;
    head.status = row.upstream;
    const auto response = refusal(error_of_answer(head, "", "docker.io", row.wanted));
    CHECK(response.status == row.client);
    CHECK(text_of(response).find("\"code\":\"" + std::string(row.wire)) != std::string::npos);
    CHECK(text_of(response).find("docker.io") != std::string::npos);
    CHECK(response.fields.contains("Retry-After") == (row.client == 503));
  }
}

TEST_CASE("a message is quoted so that it stays one string") {
  for (const std::string message :
       {"a \"quote\"", "a \\ backslash", "two\nlines", "a\tcontrol\x01", "\xc3\xa9t\xc3\xa9", ""}) {
    CAPTURE(message);
    const auto response = refusal(Error{.code = Errc::denied, .message = message});
    const auto document = boost::json::parse(text_of(response));
    const auto& entry = document.at("errors").as_array().at(0).as_object();
    CHECK(std::string(entry.at("message").as_string()) == message);
    CHECK(entry.size() == 2);
  }
}

TEST_CASE("who has to come back later is told when") {
  struct Later {
    const char* why;
    Errc code;
    std::uint32_t asked_s;
    const char* told;
  };
  for (const auto& row : std::vector<Later>{{"as the upstream said", Errc::upstream_busy, 60, "60"},
                                            {"it did not say", Errc::upstream_busy, 0, "5"},
                                            {"our own bound", Errc::overloaded, 0, "5"},
                                            {"no 503, no time", Errc::denied, 60, ""}}) {
    CAPTURE(row.why);
    const auto response =
        refusal(Error{.code = row.code, .message = "later", .retry_after_s = row.asked_s});
    CHECK(response.fields.find("Retry-After") == row.told);
    CHECK(response.status != 429);
  }
}

TEST_CASE("what is not understood as HTTP is refused in the same shape and ends the connection") {
  for (const auto status : std::vector<std::uint16_t>{400, 414, 431, 505}) {
    CAPTURE(status);
    const auto response = refusal(status, "Say it better.");
    CHECK(response.status == status);
    CHECK(response.close);
    CHECK(text_of(response) ==
          "{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"Say it better.\"}]}\n");
  }
}

}  // namespace
}  // namespace archway::proxy
