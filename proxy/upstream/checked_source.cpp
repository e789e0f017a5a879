#include "proxy/upstream/checked_source.hpp"

#include <string>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

Error not_the_blob(const Digest& digest, const std::string& why) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "the source of the blob " + digest.str() + " gave " + why +
                     "; the upload was broken off",
          .context = "unverified bytes"};
}

}  // namespace

CheckedSource::CheckedSource(std::shared_ptr<BlobStream> stream, Digest digest, std::uint64_t size)
    : stream_(std::move(stream)), hasher_(digest.algorithm()), digest_(digest), left_(size) {}

Error CheckedSource::failed(Error error) {
  failure_ = error;
  return error;
}

bool CheckedSource::matches() {
  const auto got = hasher_.finish();
  return got && *got == digest_;
}

net::awaitable<Result<std::size_t>> CheckedSource::read(char* buffer, std::size_t size) {
  auto got = co_await stream_->read(buffer, size);
  if (!got) co_return failed(got.error());
  if (*got == 0 || *got > left_) {
    co_return failed(not_the_blob(digest_, "fewer or more bytes than the blob has"));
  }
  hasher_.update({reinterpret_cast<const std::uint8_t*>(buffer), *got});
  left_ -= *got;
  if (left_ == 0 && !matches()) {
    co_return failed(not_the_blob(digest_, "bytes that do not match the digest"));
  }
  co_return got;
}

}  // namespace archway::proxy
