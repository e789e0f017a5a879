#include "proxy/http/ready_answers.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <vector>

namespace archway::proxy {
namespace {

class FakeReuse final : public Reuse {
 public:
  bool still_right() const override { return right; }
  std::string next_id() const override { return "id"; }
  void used(const Use&, const Sent&) const override {}

  bool right = true;
};

std::shared_ptr<Peer> peer(const std::string& address = "10.0.0.1") {
  auto made = std::make_shared<Peer>();
  made->address = *resolver::Address::parse(address);
  return made;
}

/// An answer to `block` as a handler makes it.
struct Made {
  explicit Made(std::string text = "body") {
    request.peer = peer();
    response.fields.add("X-Request-Id", "the first one's");
    response.fields.add("ETag", "\"a\"");
    response.body = bytes_body(std::move(text));
    response.reuse = reuse;
  }
  Request request;
  Response response;
  std::shared_ptr<FakeReuse> reuse = std::make_shared<FakeReuse>();
};

const std::string block = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

std::string text_of(const ReadyAnswer& answer) {
  std::string text;
  answer.append_to(text, "mine");
  return text;
}

TEST_CASE(
    "an answer that is given again has an id and a date of its own, and else the same bytes") {
  ReadyAnswers answers(false);
  Made made;
  answers.keep(block, made.request, made.response);
  const auto found = answers.find(block, *peer());
  REQUIRE(found);
  const auto text = text_of(*found);
  CHECK(
      text.starts_with("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 4\r\n"
                       "X-Request-Id: mine\r\nDate: "));
  CHECK(text.ends_with("\r\n\r\nbody"));
  CHECK(text.find("the first") == std::string::npos);
  CHECK(answers.find(block + "x", *peer()) == nullptr);
}

TEST_CASE("the same request for HEAD and a 304 have no body, and HEAD says its length") {
  ReadyAnswers answers(false);
  Made head;
  head.request.method = Method::head;
  answers.keep("head", head.request, head.response);
  const auto found = answers.find("head", *peer());
  REQUIRE(found);
  CHECK(text_of(*found).find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(text_of(*found).ends_with("GMT\r\n\r\n"));
  CHECK(found->body_bytes() == 0);
  Made unchanged;
  unchanged.response.status = 304;
  unchanged.response.body = BytesBody{};
  answers.keep("304", unchanged.request, unchanged.response);
  REQUIRE(answers.find("304", *peer()));
  CHECK(text_of(*answers.find("304", *peer())).starts_with("HTTP/1.1 304 Not Modified\r\n"));
}

TEST_CASE("a client that wants one answer only is told that the connection ends") {
  ReadyAnswers answers(false);
  Made made;
  made.request.keep_alive = false;
  answers.keep(block, made.request, made.response);
  const auto found = answers.find(block, *peer());
  REQUIRE(found);
  CHECK(found->last);
  CHECK(text_of(*found).ends_with("\r\nConnection: close\r\n\r\nbody"));
}

TEST_CASE("what is no longer right is not found, and gone") {
  ReadyAnswers answers(false);
  Made made;
  answers.keep(block, made.request, made.response);
  CHECK(answers.bytes() > 0);
  made.reuse->right = false;
  CHECK(answers.find(block, *peer()) == nullptr);
  CHECK(answers.bytes() == 0);
  made.reuse->right = true;
  CHECK(answers.find(block, *peer()) == nullptr);
}

TEST_CASE("another client gets what was made for it, where that can be something else") {
  struct Row {
    std::string why;
    bool by_address;
    std::shared_ptr<Peer> other;
    bool found;
  };
  auto platform = peer();
  platform->listener_platform = *Platform::parse("linux/arm64");
  auto name = peer();
  name->server_name = "arm64.mirror.test";
  auto certificate = peer();
  certificate->certificate = "pi-07";
  auto tls = peer();
  tls->tls = true;
  const std::vector<Row> rows = {
      {"the same", true, peer(), true},
      {"another address, which says nothing", false, peer("10.0.0.2"), true},
      {"another address, for which there may be a rule", true, peer("10.0.0.2"), false},
      {"another port's platform", false, platform, false},
      {"another name in its TLS hello", false, name, false},
      {"another certificate", false, certificate, false},
      {"TLS", false, tls, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    ReadyAnswers answers(row.by_address);
    Made made;
    answers.keep(block, made.request, made.response);
    CHECK((answers.find(block, *row.other) != nullptr) == row.found);
  }
}

TEST_CASE(
    "only answers of bytes that somebody vouches for, to requests without secrets, are kept") {
  const auto kept = [](const Made& made) {
    ReadyAnswers answers(false);
    answers.keep(block, made.request, made.response);
    return answers.bytes() > 0;
  };
  CHECK(kept(Made()));
  Made nobody;
  nobody.response.reuse = nullptr;
  CHECK_FALSE(kept(nobody));
  Made secret;
  secret.request.fields.add("Authorization", "Basic YTpi");
  CHECK_FALSE(kept(secret));
  Made old;
  old.request.http_1_0 = true;
  CHECK_FALSE(kept(old));
  Made closing;
  closing.response.close = true;
  CHECK_FALSE(kept(closing));
  Made file;
  file.response.body = FileBody{};
  CHECK_FALSE(kept(file));
  CHECK_FALSE(kept(Made(std::string(ReadyAnswers::one_bytes_max, 'x'))));
}

TEST_CASE("however many are asked for, they take no more than their share of memory") {
  ReadyAnswers answers(false);
  const Made made(std::string(20'000, 'x'));
  for (int i = 0; i < 1000; ++i) {
    const auto one = block + std::to_string(i);
    answers.keep(one, made.request, made.response);
    REQUIRE(answers.bytes() <= ReadyAnswers::bytes_max);
    REQUIRE(answers.find(one, *peer()));
  }
  const auto bytes = answers.bytes();
  answers.keep(block + "999", made.request, made.response);
  CHECK(answers.bytes() == bytes);
}

}  // namespace
}  // namespace archway::proxy
