#include "proxy/http/stream_tls.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::proxy {

namespace {

/// What a writing BIO is tied to: the parts of a connection's state that it may touch.
struct Records {
  int fd;
  std::string& unsent;
  std::string*& collected;
};

int write_record(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  auto& records = *static_cast<Records*>(BIO_get_data(bio));
  const auto length = static_cast<std::size_t>(size);
  auto* behind = records.collected;
  if (behind == nullptr && !records.unsent.empty()) behind = &records.unsent;
  if (behind != nullptr) {
    try {
      behind->append(data, length);
    } catch (const std::bad_alloc&) {
      return -1;  // OpenSSL is C: no exception may pass through it.
    }
    return size;
  }
  // What OpenSSL says by itself: an alert, new keys.
  const auto sent = ::send(records.fd, data, length, MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(sent);
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int destroy(BIO* bio) {
  delete static_cast<Records*>(BIO_get_data(bio));
  return 1;
}

/// Made once, for all connections; null without memory.
BIO_METHOD* method() {
  static BIO_METHOD* const made = [] {
    auto* one = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "archway records");
    if (one != nullptr) {
      BIO_meth_set_write(one, &write_record);
      BIO_meth_set_ctrl(one, &control);
      BIO_meth_set_destroy(one, &destroy);
    }
    return one;
  }();
  return made;
}

/// One of each a thread: a slow client holds only what its socket did not take.
std::string& collecting() {
  thread_local std::string records;
  return records;
}

std::vector<char>& reading() {
  thread_local std::vector<char> piece;
  return piece;
}

}  // namespace

bool Stream::Tls::collect_writes() {
  auto* bio = method() != nullptr ? BIO_new(method()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, new Records{.fd = fd, .unsent = unsent, .collected = collected});
  BIO_set_init(bio, 1);
  SSL_set0_wbio(ssl, bio);
  return true;
}

Stream::Step Stream::Tls::write(const char* data, std::size_t size, bool more, std::size_t& taken) {
  auto& records = collecting();
  records.assign(unsent);
  collected = &records;
  ERR_clear_error();
  int result = 1;
  while (taken < size && result == 1) {
    std::size_t written = 0;
    result = SSL_write_ex(ssl, data + taken, size - taken, &written);
    taken += written;
  }
  collected = nullptr;
  if (result != 1) return Step::failed;  // Nobody was asked to wait: there is no socket in it.
  if (!more) return send_out(records);
  unsent.assign(records);
  return Step::done;
}

Stream::Tls::Copied Stream::Tls::copy(int file, std::uint64_t offset, std::uint64_t length) {
  auto& piece = reading();
  piece.resize(piece_bytes);
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(length, piece_bytes));
  Copied copied{.step = Step::failed};
  do {
    copied.got = ::pread(file, piece.data(), want, static_cast<off_t>(offset));
    copied.error = errno;
  } while (copied.got < 0 && copied.error == EINTR);
  if (copied.got <= 0) return copied;
  std::size_t taken = 0;
  copied.step = write(piece.data(), static_cast<std::size_t>(copied.got), false, taken);
  return copied;
}

/// `records` may be `unsent` itself.
Stream::Step Stream::Tls::send_out(std::string& records) {
  std::size_t sent = 0;
  Step step = Step::done;
  while (sent < records.size() && step == Step::done) {
    const auto result = ::send(fd, records.data() + sent, records.size() - sent, MSG_NOSIGNAL);
    if (result >= 0) {
      sent += static_cast<std::size_t>(result);
    } else if (errno != EINTR) {
      step = errno == EAGAIN || errno == EWOULDBLOCK ? Step::wait_write : Step::failed;
    }
  }
  std::string rest(records, sent);  // As large as it has to be: it may stay for long.
  unsent = std::move(rest);
  return step;
}

}  // namespace archway::proxy
