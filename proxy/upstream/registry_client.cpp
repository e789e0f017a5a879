#include "proxy/upstream/registry_client.hpp"

#include "proxy/upstream/blob_stream.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/media_type.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// Everything archway can pass on; what it knows comes first.
const std::string& manifest_accept() {
  static const std::string accept = [] {
    std::string text;
    for (const auto type : {media_type::oci_index, media_type::oci_manifest,
                            media_type::docker_list, media_type::docker_manifest}) {
      text += type;
      text += ", ";
    }
    return text + "*/*;q=0.1";
  }();
  return accept;
}

std::string bare(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return std::string(type);
}

std::optional<Digest> digest_in(const Fields& fields) {
  const auto digest = Digest::parse(fields.find("Docker-Content-Digest"));
  if (!digest) return std::nullopt;
  return *digest;
}

bool is_plain(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Fields passed_on(const Fields& fields) {
  Fields out;
  for (const auto* const name : {"Link", "OCI-Filters-Applied"}) {
    for (const auto value : fields.all(name)) {
      if (is_plain(value)) out.add(name, value);
    }
  }
  return out;
}

/// The query is the client's: nothing in it may end the request line.
bool is_target(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Error bad_query() {
  return {.code = Errc::request_invalid, .message = "the query has characters that no URL has"};
}

std::string_view words(Wanted wanted) {
  switch (wanted) {
    case Wanted::tags: return "the list of tags";
    case Wanted::referrers: return "the list of referrers";
    case Wanted::blob: return "the blob";
    case Wanted::manifest: break;
  }
  return "the manifest";
}

Error too_large(Wanted wanted) {
  return {.code = Errc::manifest_invalid,
          .origin = Origin::upstream,
          .message = std::string(words(wanted)) + " is larger than " +
                     std::to_string(resolver::manifest_bytes_max / 1024 / 1024) + " MiB"};
}

Error without_end() {
  return nonsense("no length, and nothing to tell a whole answer from half of one");
}

bool is_coded(const Fields& fields) {
  const auto coding = fields.find("Content-Encoding");
  return !coding.empty() && !equal_without_case(coding, "identity");
}

Error coded(const std::string& upstream) {
  return {
      .code = Errc::upstream_failed,
      .origin = Origin::upstream,
      .message = upstream + " sent a coded body (Content-Encoding) where identity was asked for",
      .context = "Content-Encoding"};
}

/// What is between here and the upstream answers everything with a page of its own, and 200.
bool is_web_page(const AnswerHead& head) {
  return head.status == 200 &&
         equal_without_case(bare(head.fields.find("Content-Type")), "text/html");
}

Error web_page() {
  Error error = nonsense("200 with a web page (text/html)");
  error.message =
      "a web page came where a registry's answer should be; perhaps a login page stands "
      "before it";
  return error;
}

Error error_of_ping(const AnswerHead& head) {
  const auto status = std::to_string(head.status);
  const bool busy = head.status == 429 || head.status == 503;
  return {.code = busy ? Errc::upstream_busy : Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = busy ? "it is busy (status " + status + ")"
                          : "no registry is there: /v2/ is answered with status " + status,
          .retryable = head.status == 429 || head.status >= 500,
          .retry_after_s = retry_after_s(head.fields)};
}

/// Signed URLs are often good for GET alone: a store that refuses HEAD does not say that the blob
/// is missing, and the registry has just said where it is.
bool refuses_head(const Answer& answer, Wanted wanted) {
  const auto status = answer.head.status;
  return wanted == Wanted::blob && answer.elsewhere &&
         (status == 403 || status == 405 || status == 501);
}

}  // namespace

RegistryClient::RegistryClient(std::shared_ptr<RequestFlow> flow, metrics::Metrics* metrics,
                               std::shared_ptr<Health> health)
    : flow_(std::move(flow)), metrics_(metrics), health_(std::move(health)) {}

RequestFlow::Wish RegistryClient::wish(Verb verb, const Repository& repository,
                                       const std::string& what, std::string_view accept) const {
  RequestFlow::Wish made;
  made.verb = verb;
  made.target = flow_->target(repository, what);
  made.repository = repository.str();
  if (!accept.empty()) made.fields.add("Accept", accept);
  return made;
}

net::awaitable<Result<Answer>> RegistryClient::ask(RequestFlow::Wish wish, Wanted wanted) {
  if (!is_target(wish.target)) co_return bad_query();
  const bool to_head = wish.verb == Verb::head;
  const bool of_part = wish.fields.contains("Range");
  auto answer = co_await flow_->run(std::move(wish));
  if (!answer) co_return named(answer.error());
  const auto status = answer->head.status;
  if (health_ && !answer->elsewhere) {
    health_->note_limit(answer->head.fields, std::chrono::steady_clock::now());
  }
  if (is_web_page(answer->head)) co_return named(web_page());
  if (status == 200 || status == 206) co_return answer;
  if (to_head && refuses_head(*answer, wanted)) co_return answer;
  std::string said;
  if (!to_head) {
    auto text = co_await answer->body->read_all(error_answer_bytes_max);
    if (text) said = *std::move(text);
  }
  if (status == 416 && !of_part) {
    co_return named(nonsense("no such part (416) where the whole was asked for"));
  }
  if (status == 416) {
    co_return Error{Errc::range_unsatisfiable, Origin::upstream,
                    flow_->upstream().name + " has no such part of this blob"};
  }
  co_return error_of_answer(answer->head, said, flow_->upstream().name, wanted);
}

net::awaitable<Result<Registry::Head>> RegistryClient::head(RequestFlow::Wish wish, Wanted wanted) {
  auto answer = co_await ask(std::move(wish), wanted);
  if (!answer) co_return answer.error();
  const auto& fields = answer->head.fields;
  Head result;
  result.by_redirect_alone = refuses_head(*answer, wanted);
  if (result.by_redirect_alone) co_return result;  // The fields are those of a refusal.
  result.digest = digest_in(fields);
  result.media_type = bare(fields.find("Content-Type"));
  result.size = answer->head.content_length;
  co_return result;
}

net::awaitable<Result<Registry::Document>> RegistryClient::document(RequestFlow::Wish wish,
                                                                    Wanted wanted,
                                                                    bool digest_decides) {
  auto answer = co_await ask(std::move(wish), wanted);
  if (!answer) co_return answer.error();
  const auto& head = answer->head;
  if (head.status != 200) co_return named(nonsense("a part (206) where the whole was asked for"));
  if (!digest_decides && is_coded(head.fields)) co_return coded(flow_->upstream().name);
  Document result;
  result.digest = digest_in(head.fields);
  result.media_type = bare(head.fields.find("Content-Type"));
  result.fields = passed_on(head.fields);
  if (head.framing == Framing::until_close && !digest_decides && !result.digest) {
    co_return named(without_end());
  }
  auto text = co_await answer->body->read_all(resolver::manifest_bytes_max);
  if (metrics_) metrics_->upstream_bytes(flow_->upstream().name, answer->body->received());
  if (!text) {
    const Error& error = text.error();
    if (metrics_) metrics_->upstream_error(flow_->upstream().name, name(error.code));
    if (!error.retryable) co_return named(too_large(wanted));
    co_return named(error);
  }
  result.bytes = *std::move(text);
  co_return result;
}

net::awaitable<Result<void>> RegistryClient::ping() {
  const auto& upstream = flow_->upstream();
  auto prefix = upstream.url.target;
  while (prefix.ends_with('/')) prefix.pop_back();
  RequestFlow::Wish made;
  made.target = prefix + "/v2/";
  const auto answer = co_await flow_->run(std::move(made));
  if (!answer) co_return named(answer.error());
  const auto status = answer->head.status;
  const bool refused = status == 401 || status == 403;
  if (is_web_page(answer->head)) co_return named(web_page());
  // Who brings no credentials may be refused here and yet be given images.
  if (status < 300 || (refused && upstream.credentials.empty())) co_return Result<void>();
  if (refused) {
    co_return Error{Errc::denied, Origin::upstream, upstream.name + " refuses the credentials"};
  }
  co_return named(error_of_ping(answer->head));
}

net::awaitable<Result<Registry::Head>> RegistryClient::head_manifest(Repository repository,
                                                                     Reference reference) {
  auto made = wish(Verb::head, repository, "manifests/" + str(reference), manifest_accept());
  co_return co_await head(std::move(made), Wanted::manifest);
}

net::awaitable<Result<Registry::Document>> RegistryClient::get_manifest(Repository repository,
                                                                        Reference reference) {
  const bool by_digest = std::holds_alternative<Digest>(reference);
  auto made = wish(Verb::get, repository, "manifests/" + str(reference), manifest_accept());
  co_return co_await document(std::move(made), Wanted::manifest, by_digest);
}

net::awaitable<Result<Registry::Head>> RegistryClient::head_blob(Repository repository,
                                                                 Digest digest) {
  auto made = wish(Verb::head, repository, "blobs/" + digest.str(), "");
  co_return co_await head(std::move(made), Wanted::blob);
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> RegistryClient::open_blob(
    Repository repository, Digest digest, std::uint64_t offset) {
  auto made = wish(Verb::get, repository, "blobs/" + digest.str(), "");
  if (offset > 0) made.fields.add("Range", "bytes=" + std::to_string(offset) + "-");
  auto answer = co_await ask(std::move(made), Wanted::blob);
  if (!answer) co_return answer.error();
  auto stream = blob_stream(*std::move(answer), offset, flow_->upstream().name, metrics_);
  if (!stream) co_return named(stream.error());
  co_return stream;
}

net::awaitable<Result<std::unique_ptr<BlobStream>>> RegistryClient::open_part(
    Repository repository, Digest digest, std::uint64_t offset, std::uint64_t length) {
  auto made = wish(Verb::get, repository, "blobs/" + digest.str(), "");
  made.fields.add("Range",
                  "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + length - 1));
  auto answer = co_await ask(std::move(made), Wanted::blob);
  if (!answer) co_return answer.error();
  auto stream = blob_stream(*std::move(answer), offset, flow_->upstream().name, metrics_, length);
  if (!stream) co_return named(stream.error());
  co_return stream;
}

net::awaitable<Result<Registry::Document>> RegistryClient::get_tags(Repository repository,
                                                                    std::string query) {
  const auto what = query.empty() ? std::string("tags/list") : "tags/list?" + query;
  auto made = wish(Verb::get, repository, what, "application/json");
  co_return co_await document(std::move(made), Wanted::tags, false);
}

net::awaitable<Result<Registry::Document>> RegistryClient::get_referrers(Repository repository,
                                                                         Digest digest,
                                                                         std::string query) {
  auto what = "referrers/" + digest.str();
  if (!query.empty()) what += "?" + query;
  auto made = wish(Verb::get, repository, what, media_type::oci_index);
  co_return co_await document(std::move(made), Wanted::referrers, false);
}

}  // namespace archway::proxy
