// A disk that remembers: a FUSE file system with two files, spoken to the kernel directly.
//
//   crash_disk IMAGE LOG MOUNT_POINT
//
// MOUNT_POINT/disk is IMAGE; every write and every flush of it goes to LOG, in order. What is
// written to MOUNT_POINT/mark goes to LOG, too, so that it is known what had been said to be safe
// before which write. A record is {u64 type ('W', 'F' or 'M'), u64 offset, u64 size}, then the
// bytes. Ends when MOUNT_POINT is unmounted.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::uint32_t write_max = 1 << 20;
constexpr std::uint64_t root = FUSE_ROOT_ID, disk = 2, mark = 3;

int device = -1, image = -1, journal = -1;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void remember(char type, std::uint64_t offset, std::string_view bytes) {
  const std::uint64_t head[3]{static_cast<std::uint64_t>(type), offset, bytes.size()};
  if (::write(journal, head, sizeof head) != sizeof head) give_up("log");
  if (::write(journal, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    give_up("log");
  }
}

void reply(const fuse_in_header& to, int error, const void* body = nullptr, std::size_t size = 0) {
  fuse_out_header head{};
  head.len = static_cast<std::uint32_t>(sizeof head + size);
  head.error = -error;
  head.unique = to.unique;
  const iovec parts[]{{&head, sizeof head}, {const_cast<void*>(body), size}};
  // ENOENT: whoever asked does not wait any more.
  if (::writev(device, parts, 2) < 0 && errno != ENOENT) give_up("reply");
}

template <typename Body>
void reply(const fuse_in_header& to, const Body& body) {
  reply(to, 0, &body, sizeof body);
}

fuse_attr attributes(std::uint64_t node) {
  fuse_attr attr{};
  attr.ino = node;
  attr.mode = node == root ? S_IFDIR | 0700 : S_IFREG | 0600;
  attr.nlink = 1;
  attr.blksize = 4096;
  struct stat facts {};
  if (node == disk && ::fstat(image, &facts) == 0) {
    attr.size = static_cast<std::uint64_t>(facts.st_size);
    attr.blocks = attr.size / 512;
  }
  return attr;
}

void begin(const fuse_in_header& head, const fuse_init_in& in) {
  fuse_init_out out{};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = std::min<std::uint32_t>(in.minor, FUSE_KERNEL_MINOR_VERSION);
  out.flags = in.flags & (FUSE_BIG_WRITES | FUSE_MAX_PAGES);
  out.max_write = write_max;
  out.max_pages = write_max / 4096;
  out.max_background = 16;
  out.congestion_threshold = 12;
  reply(head, out);
}

void look_up(const fuse_in_header& head, std::string_view name) {
  if (head.nodeid != root || (name != "disk" && name != "mark")) return reply(head, ENOENT);
  fuse_entry_out out{};
  out.nodeid = name == "disk" ? disk : mark;
  out.attr = attributes(out.nodeid);
  reply(head, out);
}

void tell_attributes(const fuse_in_header& head) {
  fuse_attr_out out{};
  out.attr = attributes(head.nodeid);
  reply(head, out);
}

void open_node(const fuse_in_header& head) {
  fuse_open_out out{};
  if (head.nodeid == mark) out.open_flags = FOPEN_DIRECT_IO;
  reply(head, out);
}

void read_node(const fuse_in_header& head, const fuse_read_in& in) {
  if (head.nodeid != disk) return reply(head, 0);
  std::vector<char> bytes(in.size);
  const auto got = ::pread(image, bytes.data(), bytes.size(), static_cast<off_t>(in.offset));
  if (got < 0) return reply(head, errno);
  reply(head, 0, bytes.data(), static_cast<std::size_t>(got));
}

void write_node(const fuse_in_header& head, const fuse_write_in& in, const char* bytes) {
  if (head.nodeid == disk && ::pwrite(image, bytes, in.size, static_cast<off_t>(in.offset)) !=
                                 static_cast<ssize_t>(in.size)) {
    return reply(head, EIO);
  }
  remember(head.nodeid == disk ? 'W' : 'M', in.offset, {bytes, in.size});
  fuse_write_out out{};
  out.size = in.size;
  reply(head, out);
}

void answer(const fuse_in_header& head, const char* body) {
  switch (head.opcode) {
    case FUSE_INIT: return begin(head, *reinterpret_cast<const fuse_init_in*>(body));
    case FUSE_LOOKUP: return look_up(head, body);
    case FUSE_GETATTR:
    case FUSE_SETATTR: return tell_attributes(head);
    case FUSE_OPEN: return open_node(head);
    case FUSE_READ: return read_node(head, *reinterpret_cast<const fuse_read_in*>(body));
    case FUSE_WRITE:
      return write_node(head, *reinterpret_cast<const fuse_write_in*>(body),
                        body + sizeof(fuse_write_in));
    case FUSE_FSYNC:
      if (head.nodeid == disk) remember('F', 0, {});
      return reply(head, 0);
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_DESTROY: return reply(head, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;  // These have no answer.
    default: return reply(head, ENOSYS);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fputs("usage: crash_disk IMAGE LOG MOUNT_POINT\n", stderr);
    return 2;
  }
  image = ::open(arguments[1], O_RDWR | O_CLOEXEC);
  if (image < 0) give_up(arguments[1]);
  journal = ::open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (journal < 0) give_up(arguments[2]);
  device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) give_up("/dev/fuse");
  const auto options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0,max_read=131072";
  if (::mount("crash_disk", arguments[3], "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    give_up(arguments[3]);
  }
  std::vector<char> request(write_max + 8192);
  for (;;) {
    const auto got = ::read(device, request.data(), request.size());
    if (got < 0 && errno == ENODEV) return 0;  // Unmounted.
    if (got < 0 && (errno == EINTR || errno == ENOENT)) continue;
    if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) give_up("/dev/fuse");
    const auto* const head = reinterpret_cast<const fuse_in_header*>(request.data());
    answer(*head, request.data() + sizeof *head);
  }
}
