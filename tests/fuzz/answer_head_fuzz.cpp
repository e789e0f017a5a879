// Any bytes as the head of an upstream's answer: what is accepted has one meaning, and keeps it
// when it is written down again.

#include "proxy/upstream/answer_head.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>

using archway::fuzz::must;
namespace proxy = archway::proxy;

namespace {

std::string written(const proxy::AnswerHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " Whatever\r\n";
  for (const auto& [name, value] : head.fields) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

void check(const proxy::AnswerHead& head, bool to_head) {
  must(head.status >= 100 && head.status <= 599, "a status is one");
  const bool bare = to_head || head.interim() || head.status == 204 || head.status == 304;
  must(!bare || head.framing == proxy::Framing::none, "what has no body has none");
  must((head.framing == proxy::Framing::length) <= head.content_length.has_value(),
       "a length is known");
  must(head.framing != proxy::Framing::until_close || !head.keep_alive,
       "what ends with the connection ends it");
  for (const auto& [name, value] : head.fields) {
    for (const char c : name + value) {
      const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
      must(!control, "no control character gets in");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto block = archway::fuzz::text_of(data, size);
  const auto end = proxy::answer_head_end(block);
  if (end != std::string_view::npos) {
    must(end > 0 && end <= block.size(), "a head ends within what came");
    block = block.substr(0, end);
  }
  for (const bool to_head : {false, true}) {
    const auto head = proxy::read_answer_head(block, to_head);
    if (!head) continue;
    must(end != std::string_view::npos, "half a head is none");
    check(*head, to_head);
    const bool old = block.starts_with("HTTP/1.0");
    const auto again = proxy::read_answer_head(written(*head), to_head);
    must(again.has_value(), "a head reads back");
    must(old || (again->framing == head->framing && again->keep_alive == head->keep_alive),
         "a head means the same again");
  }
  return 0;
}
