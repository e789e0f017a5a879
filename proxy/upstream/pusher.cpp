#include "proxy/upstream/pusher.hpp"

#include "cache/hasher.hpp"
#include "proxy/upstream/checked_source.hpp"
#include "proxy/upstream/registry_client.hpp"
#include "proxy/upstream/status.hpp"
#include "resolver/redirect.hpp"

#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

std::string blob_words(const Repository& repository, const Digest& digest) {
  return "the blob " + digest.str() + " into " + repository.str();
}

std::string manifest_words(const Repository& repository, const Reference& reference) {
  const char* const mark = std::holds_alternative<Digest>(reference) ? "@" : ":";
  return "the manifest " + repository.str() + mark + str(reference);
}

/// True, false, or why neither can be said.
Result<bool> is_there(const Result<Registry::Head>& head) {
  if (head) return !head->by_redirect_alone;
  switch (head.error().code) {
    case Errc::blob_unknown:
    case Errc::manifest_unknown:
    case Errc::name_unknown:
    case Errc::denied: return false;
    default: return head.error();
  }
}

bool is_taken(unsigned status) {
  return status == 200 || status == 201 || status == 204;
}

Error nowhere_to_send(const std::string& upstream, const std::string& why) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = upstream + " opened an upload and did not say where to send it: " + why};
}

Error another_digest(const std::string& upstream, const std::string& what) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = upstream + " took " + what + " and says that its digest is another one"};
}

Error wrong_source(const Digest& digest) {
  return {.code = Errc::upstream_failed,
          .origin = Origin::upstream,
          .message = "the source of the blob " + digest.str() +
                     " has another size than the manifest says; nothing was sent"};
}

std::string with_digest(std::string target, const Digest& digest) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  return target + "digest=" + std::string(digest.algorithm_name()) + "%3A" + digest.hex();
}

}  // namespace

net::awaitable<Result<bool>> Pusher::has_blob(Repository repository, Digest digest) {
  RegistryClient reader(flow_, nullptr);
  const auto head = co_await reader.head_blob(std::move(repository), digest);
  co_return is_there(head);
}

net::awaitable<Result<bool>> Pusher::has_manifest(Repository repository, Digest digest) {
  RegistryClient reader(flow_, nullptr);
  const Reference reference = digest;
  const auto head = co_await reader.head_manifest(std::move(repository), reference);
  co_return is_there(head);
}

net::awaitable<Error> Pusher::refusal(std::shared_ptr<Answer> answer, std::string what) {
  std::string said;
  auto text = co_await answer->body->read_all(error_answer_bytes_max);
  if (text) said = *std::move(text);
  co_return error_of_refused_write(answer->head, said, flow_->upstream().name, what);
}

Result<Pusher::Upload> Pusher::upload_at(const Answer& answer) const {
  const auto location = answer.head.fields.find("Location");
  const auto& upstream = flow_->upstream().name;
  if (location.empty()) return nowhere_to_send(upstream, "there is no Location");
  auto place = resolver::follow(answer.url, location);
  if (!place) return nowhere_to_send(upstream, place.error().message);
  return Upload{.url = std::move(place->url), .named_by = answer.address};
}

net::awaitable<Result<bool>> Pusher::mount_blob(Repository repository, Digest digest,
                                                Repository from) {
  RequestFlow::Wish wish;
  wish.verb = Verb::post;
  wish.target =
      flow_->target(repository, "blobs/uploads/?mount=" + digest.str() + "&from=" + from.str());
  wish.repository = repository.str();
  wish.also_reads = from.str();
  auto answer = co_await flow_->run(std::move(wish));
  if (!answer) {
    if (answer.error().code == Errc::denied) co_return false;
    co_return naming(answer.error(), flow_->upstream().name);
  }
  const auto status = answer->head.status;
  if (status == 202) {
    auto upload = upload_at(*answer);
    if (upload) opened_.insert_or_assign(blob_words(repository, digest), *std::move(upload));
  }
  // Whoever may not mount may still write: the upload will tell.
  const bool rather_bytes = status == 202 || (status >= 400 && status < 500 && status != 429);
  if (status == 201 || rather_bytes) {
    co_await answer->body->discard();
    co_return status == 201;
  }
  auto refused = std::make_shared<Answer>(*std::move(answer));
  co_return co_await refusal(std::move(refused),
                             blob_words(repository, digest) + " from " + from.str());
}

net::awaitable<Result<Pusher::Upload>> Pusher::open_upload(Repository repository, Digest digest) {
  const auto words = blob_words(repository, digest);
  auto opened = opened_.extract(words);
  if (!opened.empty()) co_return std::move(opened.mapped());
  RequestFlow::Wish wish;
  wish.verb = Verb::post;
  wish.target = flow_->target(repository, "blobs/uploads/");
  wish.repository = repository.str();
  auto answer = co_await flow_->run(std::move(wish));
  if (!answer) co_return naming(answer.error(), flow_->upstream().name);
  if (answer->head.status != 202) {
    auto refused = std::make_shared<Answer>(*std::move(answer));
    co_return co_await refusal(std::move(refused), words);
  }
  auto upload = upload_at(*answer);
  co_await answer->body->discard();
  co_return upload;
}

RequestFlow::Wish Pusher::wish_to_finish(Upload upload, const Repository& repository,
                                         const Digest& digest) const {
  RequestFlow::Wish wish;
  wish.verb = Verb::put;
  wish.repository = repository.str();
  wish.fields.add("Content-Type", "application/octet-stream");
  upload.url.target = with_digest(std::move(upload.url.target), digest);
  if (upload.url.origin() == flow_->upstream().url.origin()) {
    wish.target = std::move(upload.url.target);
  } else {
    wish.elsewhere = Destination{.url = std::move(upload.url), .named_by = upload.named_by};
  }
  return wish;
}

net::awaitable<Result<void>> Pusher::finish(RequestFlow::Wish wish, std::string what,
                                            std::function<bool(Digest)> is_it) {
  auto answer = co_await flow_->run(std::move(wish));
  if (!answer) co_return naming(answer.error(), flow_->upstream().name);
  if (!is_taken(answer->head.status)) {
    auto refused = std::make_shared<Answer>(*std::move(answer));
    co_return co_await refusal(std::move(refused), std::move(what));
  }
  const auto said = Digest::parse(answer->head.fields.find("Docker-Content-Digest"));
  co_await answer->body->discard();
  if (said && !is_it(*said)) co_return another_digest(flow_->upstream().name, what);
  co_return Result<void>();
}

net::awaitable<Result<void>> Pusher::upload_blob(Repository repository, Digest digest,
                                                 std::uint64_t size,
                                                 std::shared_ptr<BlobStream> source,
                                                 std::function<void(std::uint64_t)> sent) {
  if (source->offset() != 0 || source->size().value_or(size) != size) {
    co_return wrong_source(digest);
  }
  std::shared_ptr<CheckedSource> checked;
  if (size > 0) {
    checked = std::make_shared<CheckedSource>(std::move(source), digest, size);
  } else {
    const auto empty = cache::digest_of(digest.algorithm(), "");
    if (!empty || *empty != digest) co_return wrong_source(digest);
  }
  auto upload = co_await open_upload(repository, digest);
  if (!upload) co_return upload.error();
  auto wish = wish_to_finish(*std::move(upload), repository, digest);
  wish.body.source = checked;
  wish.body.size = size;
  wish.body.sent = std::move(sent);
  std::function<bool(Digest)> is_it = [digest](Digest said) {
    return said.algorithm() != digest.algorithm() || said == digest;
  };
  auto done = co_await finish(std::move(wish), blob_words(repository, digest), std::move(is_it));
  if (!done && checked && checked->failure()) co_return *checked->failure();
  co_return done;
}

net::awaitable<Result<void>> Pusher::put_manifest(Repository repository, Reference reference,
                                                  std::string media_type, std::string bytes) {
  RequestFlow::Wish wish;
  wish.verb = Verb::put;
  wish.target = flow_->target(repository, "manifests/" + str(reference));
  wish.repository = repository.str();
  wish.fields.add("Content-Type", media_type);
  wish.body = RequestBody::of(std::move(bytes));
  std::function<bool(Digest)> is_it = [text = wish.body.bytes](Digest said) {
    const auto digest = cache::digest_of(said.algorithm(), *text);
    return digest && *digest == said;
  };
  co_return co_await finish(std::move(wish), manifest_words(repository, reference),
                            std::move(is_it));
}

}  // namespace archway::proxy
