#pragma once

#include "tests/support/scripted_wire.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace archway::test {

/// Where an upstream waits for the test's word, and the test for the upstream to get there.
class Gate {
 public:
  /// Lets that many passes through, now or when they come.
  void release(std::size_t passes = 1);
  /// Lets everything through for good.
  void open();
  /// Blocks until somebody has come to the gate `times` times; false after ten seconds.
  bool wait_reached(std::size_t times = 1);

  /// The upstream's side; true when the gate is open for good.
  bool pass();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t passes_ = 0;
  std::size_t reached_ = 0;
  bool open_ = false;
};

/// One answer of a scripted upstream, told step by step. Offsets count bytes of the body.
class ScriptedAnswer {
 public:
  struct Script {
    unsigned status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::vector<unsigned> interim = {};
    std::shared_ptr<const std::string> body = std::make_shared<const std::string>();
    std::optional<std::string> raw = {};
    bool vanishes = false;
    std::optional<std::size_t> takes = {};  // of the request's body; none: all of it
    std::shared_ptr<Gate> after = {};
    std::optional<std::uint64_t> declared = {};
    std::size_t chunk = 0;  ///< 0: not chunked
    std::string trailers = {};
    bool no_length = false;
    bool says_close = false;
    bool ends = false;  // the connection, behind the answer
    bool close_notify = true;
    bool ranges = false;
    std::string extra = {};
    std::optional<std::size_t> wrong_at = {};
    std::optional<std::size_t> cut_after = {};
    std::optional<std::size_t> reset_after = {};
    std::shared_ptr<Gate> before_head = {};
    std::shared_ptr<Gate> drip = {};
    std::map<std::size_t, std::shared_ptr<Gate>> holds = {};
  };

  explicit ScriptedAnswer(std::mutex& mutex) : mutex_(mutex) {}

  ScriptedAnswer& header(std::string name, std::string value);
  ScriptedAnswer& body(std::string bytes);
  ScriptedAnswer& json(std::string text);                        ///< with its Content-Type
  ScriptedAnswer& error(std::string code, std::string message);  ///< as registries say it
  ScriptedAnswer& redirect(std::string location);
  ScriptedAnswer& ranges();  ///< obeys `Range: bytes=n-` and `bytes=n-m` with 206
  ScriptedAnswer& chunked(std::size_t size, std::string trailers = {});
  ScriptedAnswer& no_length();                     ///< until the connection ends
  ScriptedAnswer& length(std::uint64_t declared);  ///< says so, whatever the body is
  ScriptedAnswer& extra(std::string bytes);        ///< behind the body's declared end
  ScriptedAnswer& wrong_byte(std::size_t offset);
  ScriptedAnswer& cut_after(std::size_t offset);     ///< FIN
  ScriptedAnswer& reset_after(std::size_t offset);   ///< RST
  ScriptedAnswer& close();                           ///< says `Connection: close` and does
  ScriptedAnswer& close_silently();                  ///< FIN behind the answer, unannounced
  ScriptedAnswer& without_close_notify();            ///< how the TLS connection ends
  ScriptedAnswer& interim(unsigned status);          ///< a 1xx first; may be said many times
  ScriptedAnswer& raw(std::string bytes);            ///< these instead of everything, then FIN
  ScriptedAnswer& vanish();                          ///< RST instead of an answer
  ScriptedAnswer& hang(std::shared_ptr<Gate> gate);  ///< not a byte before it opens
  /// Takes so many bytes of the request's body and no more, then answers; the connection stays as
  /// it is until the gate opens, and ends.
  ScriptedAnswer& refuse_body_after(std::size_t bytes, std::shared_ptr<Gate> gate);
  ScriptedAnswer& hold_at(std::size_t offset, std::shared_ptr<Gate> gate);
  ScriptedAnswer& drip(std::shared_ptr<Gate> gate);  ///< one byte of the body a pass

 private:
  friend class ScriptedUpstream;
  std::mutex& mutex_;
  Script script_;
};

struct ScriptedRequest {
  std::string method;
  std::string target;
  std::string path;  ///< without the query
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t connection = 0;  ///< counted from 0
  std::string body = {};       ///< as far as it was taken

  /// The first of that name, case ignored; "" when there is none.
  std::string header(std::string_view name) const;
};

/// An upstream on loopback, driven by a table: path -> answers. The first request for a path gets
/// its first answer and so on; the last is given for ever. A path that is not in the table is 404.
/// HEAD gets the same head without the body. A request's body, of known length, is taken before it
/// is answered.
///
///     ScriptedUpstream upstream;
///     upstream.on("/v2/hi/blobs/sha256:…").answer(200).body(bytes).cut_after(100);
///     upstream.on("/v2/hi/blobs/sha256:…").answer(200).body(bytes).ranges();
///     …
///     CHECK(upstream.count("GET", "/v2/hi/blobs/sha256:…") == 2);
///
/// Threads: any. Each connection has its own thread; all end with this object.
class ScriptedUpstream {
 public:
  struct Options {
    bool tls = false;
    TestCertificate::Options certificate = {};
    bool loopback_v6 = false;
  };
  class Path {
   public:
    Path(ScriptedUpstream& upstream, std::string path)
        : upstream_(upstream), path_(std::move(path)) {}
    ScriptedAnswer& answer(unsigned status);

   private:
    ScriptedUpstream& upstream_;
    std::string path_;
  };

  ScriptedUpstream() : ScriptedUpstream(Options()) {}
  explicit ScriptedUpstream(const Options& options);
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;
  ~ScriptedUpstream();

  std::uint16_t port() const { return port_; }
  /// `http://127.0.0.1:port`
  std::string url() const;
  /// What a client trusts it by; TLS only.
  std::filesystem::path ca_file() const { return certificate_->certificate_file(); }
  /// The same, "" without TLS.
  std::filesystem::path ca_file_or_none() const { return certificate_ ? ca_file() : ""; }

  Path on(std::string path) { return {*this, std::move(path)}; }
  /// Requests below `prefix` need this Authorization; others get 401 with this challenge. Said
  /// again for a prefix it replaces what was wanted before.
  void guard(std::string prefix, std::string authorization, std::string challenge);
  /// The guard of this prefix takes this Authorization, too.
  void admit(const std::string& prefix, std::string authorization);
  /// One that opens with this object's end at the latest.
  std::shared_ptr<Gate> gate();

  std::vector<ScriptedRequest> requests() const;
  std::size_t count(std::string_view method, std::string_view path) const;
  std::size_t connections() const;
  /// Blocks until there were `times` such requests; false after ten seconds.
  bool wait_for(std::string_view method, std::string_view path, std::size_t times = 1) const;

 private:
  struct Guard {
    std::string prefix;
    std::set<std::string> authorizations;
    std::string challenge;
  };
  struct Answers {
    std::deque<ScriptedAnswer> list;  // a deque: references to its elements stay
    std::size_t next = 0;
  };

  void accept_all();
  void serve(int fd, std::size_t connection);
  ScriptedAnswer::Script next_answer(const ScriptedRequest& request);
  void note(const ScriptedRequest& request);
  std::size_t count_locked(std::string_view method, std::string_view path) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::unique_ptr<TestCertificate> certificate_;
  std::string host_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  std::map<std::string, Answers> answers_;
  std::vector<Guard> guards_;
  std::vector<ScriptedRequest> requests_;
  std::vector<std::shared_ptr<Gate>> gates_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  std::size_t connections_ = 0;
  std::thread acceptor_;
};

}  // namespace archway::test
