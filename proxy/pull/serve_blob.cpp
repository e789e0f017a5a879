#include "proxy/pull/serve_blob.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/pull/refusal.hpp"
#include "proxy/pull/relay.hpp"
#include "proxy/pull/sources.hpp"
#include "resolver/byte_range.hpp"

#include <functional>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

using resolver::RangeRequest;

// A part that begins no further than this behind what has arrived is waited for: asking the
// upstream for it takes about as long. Chunks that are further away are what clients that pull
// lazily ask for, and those cannot wait for all that lies before them.
constexpr std::uint64_t reach_bytes = 4 * 1024 * 1024;

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

/// Tells the cache that a file broke while it was served. Not on the loop: it moves files.
std::function<void(const std::string&)> report_damage(PullShared& shared, const Digest& digest,
                                                      const cache::BlobFile& blob) {
  return [cache = shared.cache, disk = shared.disk, digest, blob](const std::string& why) {
    disk->leave([cache, digest, blob, why] { cache->report_damaged(digest, blob, why); });
  };
}

Response from_file(PullParts* parts, const Asked& asked, metrics::Outcome outcome,
                   const cache::BlobFile& blob) {
  return sized(asked, outcome, blob.size, [&](const resolver::ByteRange& range) {
    return FileBody{.blob = blob,
                    .offset = range.offset,
                    .length = range.length,
                    .damaged = report_damage(*parts->shared, *asked.route.digest, blob),
                    .pages = &parts->shared->pages};
  });
}

/// What goes on for a fill that the disk ends, for a client that wants this part of it (none: all,
/// of unknown size).
auto rest_of(PullParts* parts, const ImageName& image, const std::shared_ptr<cache::Fill>& fill,
             std::optional<resolver::ByteRange> part, std::optional<std::uint64_t> size) {
  return [parts, image, fill, part, size](std::uint64_t at, const Error& why) {
    // What was sent of a damaged file is not known to be right: better a broken transfer.
    const auto begin = part ? part->offset : 0;
    if (why.retryable && at > begin) return std::shared_ptr<ByteSource>();
    RelayRest rest{.at = at, .whole = true, .size = size, .file = fill->file()};
    if (part && (part->offset > 0 || part->length != *size)) {
      rest.whole = false;
      rest.to = part->offset + part->length;
    }
    return relay_rest(parts, image, fill->digest(), std::move(rest));
  };
}

bool in_reach(const cache::Fill& fill, std::uint64_t offset) {
  // The cache hashes what it has: the upstream is not asked because of that.
  if (fill.begun_by().empty()) return true;
  const auto released = fill.state().released;
  return offset <= released || offset - released <= reach_bytes;
}

/// The part of a fill that is asked for: from the fill when it is in reach, else straight from the
/// upstream while the fill goes on. What cannot be had there comes with the fill.
net::awaitable<Response> from_fill_of(PullParts* parts, std::shared_ptr<const Asked> asked,
                                      ImageName image, ObtainedBlob obtained, std::uint64_t size) {
  const auto fill = obtained.fill;
  Response response = sized(*asked, obtained.outcome, size, [&](const resolver::ByteRange& range) {
    return GrowingBody{.fill = fill,
                       .offset = range.offset,
                       .length = range.length,
                       .otherwise = rest_of(parts, image, fill, range, size),
                       .pages = &parts->shared->pages};
  });
  const auto* growing = std::get_if<GrowingBody>(&response.body);
  const bool head = asked->request->method == Method::head;
  if (!growing || head || in_reach(*fill, growing->offset)) co_return response;
  // Who would wait in line behind the blob itself has the part sooner from that.
  if (!parts->registry(image)->has_room()) co_return response;
  const resolver::ByteRange range{.offset = growing->offset, .length = *growing->length};
  const auto relay = co_await relay_part(parts, image, fill->digest(), range, size);
  if (relay) response.body = RelayBody{.source = relay->source, .length = range.length};
  co_return response;
}

/// What arrives, as it arrives. Of unknown size nothing can be said about ranges: the whole is the
/// answer; and HEAD waits for the whole, because it has to tell the length that GET will have.
net::awaitable<Result<Response>> from_fill(PullParts* parts, std::shared_ptr<const Asked> asked,
                                           ImageName image, ObtainedBlob obtained) {
  const auto fill = obtained.fill;
  const auto size = fill->state().size;
  if (size) co_return co_await from_fill_of(parts, asked, image, std::move(obtained), *size);
  if (asked->request->method == Method::head) {
    const auto whole = co_await await_whole(fill, image);
    if (!whole) co_return whole.error();
    co_return from_file(parts, *asked, obtained.outcome, *whole);
  }
  Response response = common(*asked, obtained.outcome);
  response.body = GrowingBody{.fill = fill,
                              .otherwise = rest_of(parts, image, fill, std::nullopt, std::nullopt),
                              .pages = &parts->shared->pages};
  co_return response;
}

/// The whole blob past the cache.
net::awaitable<Result<Response>> pass_whole(PullParts* parts, std::shared_ptr<const Asked> asked,
                                            ImageName image, std::shared_ptr<Untaken> untaken) {
  Response response = common(*asked, metrics::Outcome::pass);
  if (unchanged(*asked->request, etag_of(*asked))) co_return not_modified(std::move(response));
  const auto begun = std::exchange(untaken->stream, nullptr);
  const auto relay = co_await relay_whole(parts, image, *asked->route.digest, begun);
  if (!relay) co_return relay.error();
  if (relay->size == std::uint64_t{0}) {
    // An empty body is over with its headers, so the digest is looked at before.
    char none = 0;
    const auto right = co_await relay->source->read(&none, sizeof none);
    if (!right) co_return right.error();
  }
  response.body = RelayBody{.source = relay->source, .length = relay->size};
  co_return response;
}

/// What the upstream says about the blob that the cache cannot take, as headers and, of a part, its
/// bytes; none where only the whole is an answer.
net::awaitable<Result<std::optional<Response>>> pass_part(PullParts* parts,
                                                          std::shared_ptr<const Asked> asked,
                                                          ImageName image) {
  const auto digest = *asked->route.digest;
  const auto head = co_await parts->registry(image)->head_blob(image.repository, digest);
  if (!head) co_return head.error();
  if (!head->size) co_return std::optional<Response>();
  resolver::ByteRange part;
  Response response =
      sized(*asked, metrics::Outcome::pass, *head->size, [&](const resolver::ByteRange& range) {
        part = range;
        return RelayBody{.length = range.length};
      });
  const bool body_alone = asked->request->method == Method::get && response.status < 300;
  if (!body_alone) co_return std::optional<Response>(std::move(response));
  if (response.status == 200) co_return std::optional<Response>();
  const auto relay = co_await relay_part(parts, image, digest, part, *head->size);
  if (!relay && relay.error().code == Errc::unsupported) co_return std::optional<Response>();
  if (!relay) co_return relay.error();
  response.body = RelayBody{.source = relay->source, .length = part.length};
  co_return std::optional<Response>(std::move(response));
}

/// For one client, past a cache that cannot take it: full, read-only or broken.
net::awaitable<Result<Response>> pass_on(PullParts* parts, std::shared_ptr<const Asked> asked,
                                         ImageName image, std::shared_ptr<Untaken> untaken) {
  const bool head = asked->request->method == Method::head;
  if (head || asked->request->fields.contains("Range")) {
    untaken->stream = nullptr;  // Nobody wants all of it.
    auto part = co_await pass_part(parts, asked, image);
    if (!part) co_return part.error();
    if (*part) co_return *std::move(*part);
  }
  if (head) {  // Of unknown length, as GET would be.
    Response response = common(*asked, metrics::Outcome::pass);
    response.body = RelayBody();
    co_return response;
  }
  co_return co_await pass_whole(parts, asked, image, untaken);
}

/// A login page answers 200, too: it must be this very object that the upstream speaks of.
bool vouches(const Registry::Head& head, const Digest& digest, std::optional<std::uint64_t> size) {
  if (head.by_redirect_alone) return false;
  if (head.digest && *head.digest != digest) return false;
  const bool same_size = size && head.size && *head.size == *size;
  return same_size || (head.digest && !(size && head.size));
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
  const auto untaken = std::make_shared<Untaken>();
  auto obtained = co_await obtain_blob(parts, image, digest, untaken);
  if (!obtained && cannot_be_cached(obtained.error())) {
    co_return co_await pass_on(parts, asked, image, untaken);
  }
  if (!obtained) co_return obtained.error();
  if (obtained->file) co_return from_file(parts, *asked, obtained->outcome, *obtained->file);
  co_return co_await from_fill(parts, asked, image, *std::move(obtained));
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
  if (known && blob) co_return from_file(parts, *asked, metrics::Outcome::hit, *blob);
  const bool head = asked->request->method == Method::head;
  if (head && !blob && !cache.find_fill(digest)) co_return co_await head_cold(parts, asked, image);
  const auto untaken = std::make_shared<Untaken>();
  auto obtained = co_await obtain_blob(parts, image, digest, untaken);
  if (!obtained && cannot_be_cached(obtained.error())) {
    co_return co_await pass_on(parts, asked, image, untaken);
  }
  if (!obtained) co_return obtained.error();
  if (!known && !obtained->brought_for(image) && !granted(*parts->shared, image, digest)) {
    // Here, or coming, but under another name: not served before the upstream says that this one
    // has it, too.
    const auto size = size_of(obtained->file, obtained->fill);
    const auto confirmed = co_await confirm(parts, image, digest, size);
    if (!confirmed) co_return confirmed.error();
  }
  if (obtained->file) co_return from_file(parts, *asked, obtained->outcome, *obtained->file);
  co_return co_await from_fill(parts, asked, image, *std::move(obtained));
}

}  // namespace archway::proxy
