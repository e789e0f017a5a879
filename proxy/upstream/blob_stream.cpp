#include "proxy/upstream/blob_stream.hpp"

#include <charconv>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

class AnswerStream final : public BlobStream {
 public:
  AnswerStream(std::unique_ptr<Body> body, std::optional<std::uint64_t> size, std::uint64_t offset,
               std::string upstream, metrics::Metrics* metrics)
      : body_(std::move(body)),
        size_(size),
        offset_(offset),
        upstream_(std::move(upstream)),
        metrics_(metrics) {}

  std::optional<std::uint64_t> size() const override { return size_; }
  std::uint64_t offset() const override { return offset_; }

  net::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    auto got = co_await body_->read(buffer, size);
    if (!got) {
      Error error = got.error();
      error.message = upstream_ + ": " + error.message;
      if (metrics_) metrics_->upstream_error(upstream_, name(error.code));
      co_return error;
    }
    if (metrics_ && *got > 0) metrics_->upstream_bytes(upstream_, *got);
    co_return got;
  }

 private:
  std::unique_ptr<Body> body_;
  std::optional<std::uint64_t> size_;
  std::uint64_t offset_;
  std::string upstream_;
  metrics::Metrics* metrics_;
};

/// Reads digits off the front of `rest`.
std::optional<std::uint64_t> number(std::string_view& rest) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return value;
}

bool skip(std::string_view& rest, std::string_view what) {
  if (!rest.starts_with(what)) return false;
  rest.remove_prefix(what.size());
  return true;
}

}  // namespace

std::optional<ContentRange> read_content_range(std::string_view text) {
  if (!skip(text, "bytes ")) return std::nullopt;
  const auto first = number(text);
  if (!first || !skip(text, "-")) return std::nullopt;
  const auto last = number(text);
  if (!last || !skip(text, "/") || *last < *first) return std::nullopt;
  ContentRange range{.first = *first, .last = *last};
  if (text == "*") return range;
  range.total = number(text);
  if (!range.total || !text.empty() || *range.total <= *last) return std::nullopt;
  return range;
}

Result<std::unique_ptr<BlobStream>> blob_stream(Answer answer, std::uint64_t offset,
                                                std::string upstream, metrics::Metrics* metrics,
                                                std::optional<std::uint64_t> length) {
  const auto& head = answer.head;
  auto size = head.content_length;
  if (head.status == 206) {
    const auto range = read_content_range(head.fields.find("Content-Range"));
    if (offset == 0 && !length) return nonsense("a part (206) where the whole was asked for");
    if (!range || range->first != offset) return nonsense("another range than the one asked for");
    if (length && range->last - range->first >= *length) {
      return nonsense("a longer range than the one asked for");
    }
    if (size && *size != range->last - range->first + 1) {
      return nonsense("Content-Length and Content-Range do not agree");
    }
    size = range->total;
  } else if (head.status == 200) {
    offset = 0;
  } else {
    return nonsense("status " + std::to_string(head.status) + " for a blob");
  }
  return std::unique_ptr<BlobStream>(std::make_unique<AnswerStream>(
      std::move(answer.body), size, offset, std::move(upstream), metrics));
}

}  // namespace archway::proxy
