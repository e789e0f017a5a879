#include "proxy/pull/serve_blob.hpp"

#include "proxy/pull/obtain_blob.hpp"
#include "proxy/pull/refusal.hpp"
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

Result<Response> from_file(const Asked& asked, cache::BlobFile blob) {
  Response response = common(asked, metrics::Outcome::hit);
  const auto range = apply_range(asked, blob.size, response);
  if (!range) return beyond(asked, range.error(), blob.size);
  response.body =
      FileBody{.blob = std::move(blob), .offset = range->offset, .length = range->length};
  return unless_unchanged(std::move(response), *asked.request,
                          "\"" + asked.route.digest->str() + "\"");
}

/// What arrives, as it arrives.
Result<Response> from_fill(const Asked& asked, ObtainedBlob obtained) {
  Response response = common(asked, obtained.outcome);
  GrowingBody body{.fill = std::move(obtained.fill)};
  const auto size = body.fill->state().size;
  if (size) {  // Without a size nothing can be said about ranges: the whole is the answer.
    const auto range = apply_range(asked, *size, response);
    if (!range) return beyond(asked, range.error(), *size);
    body.offset = range->offset;
    body.length = range->length;
  }
  response.body = std::move(body);
  return response;
}

/// The upstream says whether this image name has the blob; if so, the name is granted it.
net::awaitable<Result<Registry::Head>> confirm(PullParts* parts, ImageName image, Digest digest) {
  auto head = co_await parts->registry(image)->head_blob(image.repository, digest);
  if (!head) co_return head.error();
  cache::Changes changes;
  changes.grants.emplace_back(image, digest);
  const auto kept = co_await commit(parts, std::move(changes));
  if (!kept) {
    parts->shared->log->write_seldom("grant", metrics::Level::warn, "a grant could not be kept",
                                     {{"why", kept.error().context}});
  }
  co_return *std::move(head);
}

/// HEAD of a blob that is neither here nor coming: asking begins no transfer.
net::awaitable<Result<Response>> head_only(PullParts* parts, std::shared_ptr<const Asked> asked) {
  const auto head = co_await confirm(parts, asked->image, *asked->route.digest);
  if (!head) co_return head.error();
  Response response = common(*asked, metrics::Outcome::miss);
  if (head->size) {
    const auto range = apply_range(*asked, *head->size, response);
    if (!range) co_return beyond(*asked, range.error(), *head->size);
    response.body = FileBody{.length = range->length};
  }
  co_return response;
}

}  // namespace

net::awaitable<Result<Response>> serve_blob(PullParts* parts, std::shared_ptr<const Asked> asked) {
  auto& cache = *parts->shared->cache;
  const auto digest = *asked->route.digest;
  asked->account->digest = digest.str();
  const bool granted = cache.index().granted(asked->image, digest);
  auto blob = cache.open_blob(digest);
  if (granted && blob) co_return from_file(*asked, *std::move(blob));
  const bool head = asked->request->method == Method::head;
  if (!granted && (blob || cache.find_fill(digest))) {
    // Here, but under another name: not served before the upstream says that this one has it too.
    const auto confirmed = co_await confirm(parts, asked->image, digest);
    if (!confirmed) co_return confirmed.error();
  } else if (head && !cache.find_fill(digest)) {
    co_return co_await head_only(parts, asked);
  }
  auto obtained = co_await obtain_blob(parts, asked->image, digest);
  if (!obtained) co_return obtained.error();
  if (obtained->file) co_return from_file(*asked, *std::move(obtained->file));
  co_return from_fill(*asked, *std::move(obtained));
}

}  // namespace archway::proxy
