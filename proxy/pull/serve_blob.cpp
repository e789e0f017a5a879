#include "proxy/pull/serve_blob.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/pull/refusal.hpp"
#include "proxy/pull/sources.hpp"
#include "resolver/byte_range.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using resolver::RangeRequest;

/// What every answer about this blob carries.
Response common(const Asked& asked, metrics::Outcome outcome) {
  const auto digest = asked.route.digest->str();
  Response response;
  response.fields.add("Content-Type", "application/octet-stream");
  response.fields.add("Docker-Content-Digest", digest);
  response.fields.add("ETag", "\"" + digest + "\"");
  response.fields.add("Accept-Ranges", "bytes");
  add_common_fields(response, asked);
  add_outcome(response, asked, outcome);
  return response;
}

/// The part that is asked for of a blob of this size, as status and header; 416 as an error.
Result<resolver::ByteRange> apply_range(const Asked& asked, std::uint64_t size,
                                        Response& response) {
  const auto& fields = asked.request->fields;
  const auto etag = "\"" + asked.route.digest->str() + "\"";
  const resolver::ByteRange whole{.offset = 0, .length = size};
  if (!resolver::if_range_permits(fields.find("If-Range"), etag)) return whole;
  const auto wanted = resolver::read_range(fields.find("Range"), size);
  if (wanted.kind == RangeRequest::Kind::whole) return whole;
  const auto total = std::to_string(size);
  if (wanted.kind == RangeRequest::Kind::unsatisfiable) {
    return Error{
        .code = Errc::range_unsatisfiable,
        .message = "the blob has " + total + " bytes; the range asked for starts behind them"};
  }
  const auto& range = wanted.range;
  response.status = 206;
  response.fields.add("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                           std::to_string(range.offset + range.length - 1) + "/" +
                                           total);
  return range;
}

/// 416, with the size that would have been satisfiable. Source: RFC 9110 section 15.5.17.
Response beyond(const Asked& asked, const Error& error, std::uint64_t size) {
  note(*asked.account, error);
  Response response = refusal(error);
  response.fields.add("Content-Range", "bytes */" + std::to_string(size));
  return response;
}

std::string etag_of(const Asked& asked) {
  return "\"" + asked.route.digest->str() + "\"";
}

/// The answer for a blob of this size; `body` makes the body of the part that is asked for.
template <class MakeBody>
Response sized(const Asked& asked, metrics::Outcome outcome, std::uint64_t size, MakeBody body) {
  Response response = common(asked, outcome);
  if (unchanged(*asked.request, etag_of(asked))) return not_modified(std::move(response));
  const auto range = apply_range(asked, size, response);
  if (!range) return beyond(asked, range.error(), size);
  response.body = body(*range);
  return response;
}

Response from_file(const Asked& asked, metrics::Outcome outcome, const cache::BlobFile& blob) {
  return sized(asked, outcome, blob.size, [&](const resolver::ByteRange& range) {
    return FileBody{.blob = blob, .offset = range.offset, .length = range.length};
  });
}

/// What arrives, as it arrives. Of unknown size nothing can be said about ranges: the whole is the
/// answer; and HEAD waits for the whole, because it has to tell the length that GET will have.
net::awaitable<Result<Response>> from_fill(std::shared_ptr<const Asked> asked, ImageName image,
                                           ObtainedBlob obtained) {
  const auto fill = obtained.fill;
  const auto size = fill->state().size;
  if (size) {
    co_return sized(*asked, obtained.outcome, *size, [&](const resolver::ByteRange& range) {
      return GrowingBody{.fill = fill, .offset = range.offset, .length = range.length};
    });
  }
  if (asked->request->method == Method::head) {
    const auto whole = co_await await_whole(fill, image);
    if (!whole) co_return whole.error();
    co_return from_file(*asked, obtained.outcome, *whole);
  }
  Response response = common(*asked, obtained.outcome);
  response.body = GrowingBody{.fill = fill};
  co_return response;
}

/// A login page answers 200, too: it must be this very object that the upstream speaks of.
bool vouches(const Registry::Head& head, const Digest& digest, std::optional<std::uint64_t> size) {
  if (head.by_redirect_alone) return false;
  if (head.digest) return *head.digest == digest;
  return size && head.size && *head.size == *size;
}

/// The upstream says whether this image name has the blob; if so, the name is granted it. `size` is
/// that of the bytes that are here under another name, where known.
net::awaitable<Result<void>> confirm(PullParts* parts, ImageName image, Digest digest,
                                     std::optional<std::uint64_t> size) {
  const auto head = co_await parts->registry(image)->head_blob(image.repository, digest);
  if (!head) co_return head.error();
  if (!vouches(*head, digest, size)) {
    co_return Error{
        .code = Errc::blob_unknown,
        .origin = Origin::upstream,
        .message = image.upstream + " answers for " + digest.str() + " with something else",
        .context = "HEAD gave another digest or size"};
  }
  grant_soon(*parts->shared, image, digest);
  co_return Result<void>();
}

/// HEAD of a blob that is neither here nor coming: asking begins no transfer, unless the upstream
/// does not tell the length, which HEAD owes.
net::awaitable<Result<Response>> head_cold(PullParts* parts, std::shared_ptr<const Asked> asked,
                                           ImageName image) {
  const auto digest = *asked->route.digest;
  const auto head = co_await parts->registry(image)->head_blob(image.repository, digest);
  if (!head) co_return head.error();
  if (head->size) {
    co_return sized(
        *asked, metrics::Outcome::miss, *head->size,
        [](const resolver::ByteRange& range) { return FileBody{.length = range.length}; });
  }
  auto obtained = co_await obtain_blob(parts, image, digest);
  if (!obtained) co_return obtained.error();
  if (obtained->file) co_return from_file(*asked, obtained->outcome, *obtained->file);
  co_return co_await from_fill(asked, image, *std::move(obtained));
}

/// The size of what is here under some name.
std::optional<std::uint64_t> size_of(const std::optional<cache::BlobFile>& blob,
                                     const std::shared_ptr<cache::Fill>& fill) {
  if (blob) return blob->size;
  return fill ? fill->state().size : std::nullopt;
}

}  // namespace

net::awaitable<Result<Response>> serve_blob(PullParts* parts, std::shared_ptr<const Asked> asked) {
  auto& cache = *parts->shared->cache;
  const auto digest = *asked->route.digest;
  asked->account->digest = digest.str();
  const auto allowed = check_allowed(*parts->shared, *asked, digest);
  if (!allowed) co_return allowed.error();
  const auto source = co_await find_source(parts, asked, digest, ObjectKind::blob);
  if (!source) co_return source.error();
  const ImageName image = *source;
  const bool known = granted(*parts->shared, image, digest);
  const auto blob = cache.open_blob(digest);
  if (known && blob) co_return from_file(*asked, metrics::Outcome::hit, *blob);
  const bool head = asked->request->method == Method::head;
  if (head && !blob && !cache.find_fill(digest)) co_return co_await head_cold(parts, asked, image);
  auto obtained = co_await obtain_blob(parts, image, digest);
  if (!obtained) co_return obtained.error();
  if (!known && !obtained->brought_for(image) && !granted(*parts->shared, image, digest)) {
    // Here, or coming, but under another name: not served before the upstream says that this one
    // has it, too.
    const auto size = size_of(obtained->file, obtained->fill);
    const auto confirmed = co_await confirm(parts, image, digest, size);
    if (!confirmed) co_return confirmed.error();
  }
  if (obtained->file) co_return from_file(*asked, obtained->outcome, *obtained->file);
  co_return co_await from_fill(asked, image, *std::move(obtained));
}

}  // namespace archway::proxy
