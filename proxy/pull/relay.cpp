#include "proxy/pull/relay.hpp"

#include "proxy/pull/relay_slot.hpp"
#include "proxy/pull/resuming_stream.hpp"
#include "proxy/pull/verified_relay.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using Wanted = ResumingStream::Wanted;

Error too_many_relays() {
  return {.code = Errc::overloaded,
          .origin = Origin::upstream,
          .message = "archway is passing on as much as it can; try again in a moment",
          .context = "relays_max",
          .retryable = true};
}

Error ignores_ranges(const ImageName& image) {
  return {.code = Errc::unsupported,
          .origin = Origin::upstream,
          .message = image.upstream + " does not give parts of blobs"};
}

class PartRelay final : public ByteSource {
 public:
  PartRelay(PullParts* parts, RelaySlot slot, std::unique_ptr<ResumingStream> stream)
      : log_(parts->shared->log), slot_(std::move(slot)), stream_(std::move(stream)) {}

  net::awaitable<Result<std::size_t>> read(char* buffer, std::size_t size) override {
    auto got = co_await stream_->read(buffer, size);
    if (!got) tell_relay_ended(*log_, stream_->image(), got.error());
    co_return got;
  }

 private:
  metrics::Log* log_;
  RelaySlot slot_;
  std::unique_ptr<ResumingStream> stream_;
};

}  // namespace

net::awaitable<Result<Relay>> relay_whole(PullParts* parts, ImageName image, Digest digest,
                                          std::shared_ptr<BlobStream> begun) {
  auto slot = RelaySlot::take(parts->shared->relays, relays_max);
  if (!slot) co_return too_many_relays();
  auto stream = std::make_unique<ResumingStream>(parts, Wanted{.image = image, .digest = digest});
  Result<void> opened;
  if (begun) {
    opened = stream->take(std::move(begun));
  } else {
    opened = co_await stream->open();
  }
  if (!opened) co_return opened.error();
  const auto size = stream->size();
  co_return Relay{
      .source = std::make_shared<VerifiedRelay>(parts, *std::move(slot), std::move(stream), digest),
      .size = size};
}

net::awaitable<Result<Relay>> relay_part(PullParts* parts, ImageName image, Digest digest,
                                         resolver::ByteRange range, std::uint64_t size) {
  auto slot = RelaySlot::take(parts->shared->relays, relays_max);
  if (!slot) co_return too_many_relays();
  auto stream = std::make_unique<ResumingStream>(parts, Wanted{.image = image,
                                                               .digest = digest,
                                                               .from = range.offset,
                                                               .to = range.offset + range.length,
                                                               .size = size});
  const auto opened = co_await stream->open();
  if (!opened) co_return opened.error();
  if (stream->begins_too_early()) co_return ignores_ranges(image);
  co_return Relay{.source = std::make_shared<PartRelay>(parts, *std::move(slot), std::move(stream)),
                  .size = size};
}

std::shared_ptr<ByteSource> relay_rest(PullParts* parts, ImageName image, Digest digest,
                                       RelayRest rest) {
  auto slot = RelaySlot::take(parts->shared->relays, relays_max);
  if (!slot) return nullptr;
  if (!rest.whole) {
    auto stream = std::make_unique<ResumingStream>(parts, Wanted{.image = std::move(image),
                                                                 .digest = digest,
                                                                 .from = rest.at,
                                                                 .to = rest.to,
                                                                 .size = rest.size});
    return std::make_shared<PartRelay>(parts, *std::move(slot), std::move(stream));
  }
  VerifiedRelay::Sent sent{.bytes = rest.at, .file = std::move(rest.file)};
  return std::make_shared<VerifiedRelay>(parts, *std::move(slot), std::move(image), digest,
                                         rest.size, std::move(sent));
}

}  // namespace archway::proxy
