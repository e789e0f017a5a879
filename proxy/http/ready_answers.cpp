#include "proxy/http/ready_answers.hpp"

#include "proxy/http/writer.hpp"

#include <functional>
#include <utility>
#include <variant>

namespace archway::proxy {

namespace {

// Beside the bytes themselves: nodes, pointers, strings.
constexpr std::size_t overhead = 512;

std::size_t size_of(const ReadyAnswer& answer) {
  // The block twice: whoever made the answer keeps the request.
  return 2 * answer.block.size() + answer.head.size() + answer.body_bytes() + overhead;
}

bool may_be_kept(const Request& request, const Response& response) {
  return response.reuse && !response.close && !request.http_1_0 &&
         std::holds_alternative<BytesBody>(response.body) &&
         !request.fields.contains("Authorization");
}

std::string lasting_head(const Request& request, const Response& response) {
  Response lasting{.status = response.status, .body = response.body};
  for (const auto& [name, value] : response.fields) {
    if (name != request_id_field) lasting.fields.add(name, value);
  }
  return head_start(lasting, {.head_only = request.method == Method::head});
}

}  // namespace

void ReadyAnswer::append_to(std::string& out, std::string_view id) const {
  out += head;
  out += request_id_field;
  out += ": ";
  out += id;
  out += "\r\n";
  append_head_end(out, {.keep_alive = !last});
  if (body) out += *body;
}

bool ReadyAnswers::alike(const Peer& a, const Peer& b) const {
  return a.listener_platform == b.listener_platform && a.server_name == b.server_name &&
         a.certificate == b.certificate && a.tls == b.tls &&
         (!by_address_ || a.address == b.address);
}

std::uint64_t ReadyAnswers::key_of(std::string_view block, const Peer& peer) const {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15;  // Odd, its bits well mixed.
  const std::hash<std::string_view> hash;
  std::uint64_t key = hash(block);
  const auto mix = [&](std::string_view text) {
    if (!text.empty()) key = (key ^ hash(text)) * factor;
  };
  if (peer.listener_platform) mix(peer.listener_platform->str());
  mix(peer.server_name);
  mix(peer.certificate);
  if (by_address_) {
    const auto& bytes = peer.address.bytes;
    mix({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  return key;
}

std::shared_ptr<const ReadyAnswer> ReadyAnswers::find(std::string_view block, const Peer& peer) {
  if (answers_.empty()) return nullptr;
  const auto found = answers_.find(key_of(block, peer));
  if (found == answers_.end()) return nullptr;
  const auto& answer = *found->second;
  if (answer.block != block || !alike(*answer.peer, peer)) return nullptr;
  if (answer.reuse->still_right()) return found->second;
  forget(found->first);
  return nullptr;
}

void ReadyAnswers::keep(std::string_view block, const Request& request, const Response& response) {
  if (!may_be_kept(request, response)) return;
  auto answer = std::make_shared<ReadyAnswer>(ReadyAnswer{.block = std::string(block),
                                                          .peer = request.peer,
                                                          .head = lasting_head(request, response),
                                                          .body = {},
                                                          .reuse = response.reuse,
                                                          .last = !request.keep_alive});
  if (request.method == Method::get) answer->body = std::get<BytesBody>(response.body);
  const auto size = size_of(*answer);
  if (size > one_bytes_max) return;
  const auto key = key_of(block, *request.peer);
  forget(key);
  if (bytes_ + size > bytes_max) {
    answers_.clear();
    bytes_ = 0;
  }
  answers_.emplace(key, std::move(answer));
  bytes_ += size;
}

void ReadyAnswers::forget(std::uint64_t key) {
  const auto found = answers_.find(key);
  if (found == answers_.end()) return;
  bytes_ -= size_of(*found->second);
  answers_.erase(found);
}

}  // namespace archway::proxy
