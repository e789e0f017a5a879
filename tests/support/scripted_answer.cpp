#include "tests/support/scripted_upstream.hpp"

#include <chrono>
#include <utility>

namespace archway::test {

void Gate::release(std::size_t passes) {
  const std::lock_guard lock(mutex_);
  passes_ += passes;
  changed_.notify_all();
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

bool Gate::wait_reached(std::size_t times) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return reached_ >= times; });
}

bool Gate::pass() {
  std::unique_lock lock(mutex_);
  ++reached_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return open_ || passes_ > 0; });
  if (passes_ > 0) --passes_;
  return open_;
}

ScriptedAnswer& ScriptedAnswer::header(std::string name, std::string value) {
  const std::lock_guard lock(mutex_);
  script_.headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

ScriptedAnswer& ScriptedAnswer::body(std::string bytes) {
  const std::lock_guard lock(mutex_);
  script_.body = std::make_shared<const std::string>(std::move(bytes));
  return *this;
}

ScriptedAnswer& ScriptedAnswer::json(std::string text) {
  return header("Content-Type", "application/json").body(std::move(text));
}

ScriptedAnswer& ScriptedAnswer::error(std::string code, std::string message) {
  return json(R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})");
}

ScriptedAnswer& ScriptedAnswer::redirect(std::string location) {
  return header("Location", std::move(location));
}

ScriptedAnswer& ScriptedAnswer::ranges() {
  const std::lock_guard lock(mutex_);
  script_.ranges = true;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::chunked(std::size_t size, std::string trailers) {
  const std::lock_guard lock(mutex_);
  script_.chunk = size;
  script_.trailers = std::move(trailers);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::no_length() {
  const std::lock_guard lock(mutex_);
  script_.no_length = true;
  script_.ends = true;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::length(std::uint64_t declared) {
  const std::lock_guard lock(mutex_);
  script_.declared = declared;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::extra(std::string bytes) {
  const std::lock_guard lock(mutex_);
  script_.extra = std::move(bytes);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::wrong_byte(std::size_t offset) {
  const std::lock_guard lock(mutex_);
  script_.wrong_at = offset;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::cut_after(std::size_t offset) {
  const std::lock_guard lock(mutex_);
  script_.cut_after = offset;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::reset_after(std::size_t offset) {
  const std::lock_guard lock(mutex_);
  script_.reset_after = offset;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::close() {
  const std::lock_guard lock(mutex_);
  script_.says_close = true;
  script_.ends = true;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::close_silently() {
  const std::lock_guard lock(mutex_);
  script_.ends = true;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::without_close_notify() {
  const std::lock_guard lock(mutex_);
  script_.close_notify = false;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::interim(unsigned status) {
  const std::lock_guard lock(mutex_);
  script_.interim.push_back(status);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::raw(std::string bytes) {
  const std::lock_guard lock(mutex_);
  script_.raw = std::move(bytes);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::hang(std::shared_ptr<Gate> gate) {
  const std::lock_guard lock(mutex_);
  script_.before_head = std::move(gate);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::vanish() {
  const std::lock_guard lock(mutex_);
  script_.vanishes = true;
  return *this;
}

ScriptedAnswer& ScriptedAnswer::refuse_body_after(std::size_t bytes, std::shared_ptr<Gate> gate) {
  const std::lock_guard lock(mutex_);
  script_.takes = bytes;
  script_.after = std::move(gate);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::hold_at(std::size_t offset, std::shared_ptr<Gate> gate) {
  const std::lock_guard lock(mutex_);
  script_.holds[offset] = std::move(gate);
  return *this;
}

ScriptedAnswer& ScriptedAnswer::drip(std::shared_ptr<Gate> gate) {
  const std::lock_guard lock(mutex_);
  script_.drip = std::move(gate);
  return *this;
}

}  // namespace archway::test
