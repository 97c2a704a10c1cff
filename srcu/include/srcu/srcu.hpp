/// C++17 over srcu.h, which is the manual: kinds of readers, who may call what, costs, limits. Header only.
///
///     struct config : srcu::retirable { int timeout; };
///     srcu::fast_domain domain;
///     std::atomic<config*> current{new config};
///
///     void reader() {
///       const srcu::read_guard reading(domain);
///       use(current.load(std::memory_order_consume));
///     }
///     void updater(config* fresh) { srcu::retire(domain, current.exchange(fresh, std::memory_order_acq_rel)); }
///
/// A domain at namespace scope ends with the program, and must not be in use by then. Where threads may outlive main(),
/// leave it alive: `static srcu::domain& domain = *new srcu::domain;`.
#ifndef SRCU_SRCU_HPP
#define SRCU_SRCU_HPP

#include <srcu/srcu.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace srcu {

/// \name Kinds of domains: how sections of theirs are opened and closed. A token is what an open section is known by;
/// each has a type of its own, so that no other unlock takes it.
/// @{
struct normal_kind {
  struct token { int value; };
  struct down_token { int value; };
  static int init(srcu_struct* dom) noexcept { return init_srcu_struct(dom); }
  static token lock(srcu_struct* dom) noexcept { return {srcu_read_lock(dom)}; }
  static void unlock(srcu_struct* dom, token open) noexcept { srcu_read_unlock(dom, open.value); }
  static down_token down(srcu_struct* dom) noexcept { return {srcu_down_read(dom)}; }
  static void up(srcu_struct* dom, down_token open) noexcept { srcu_up_read(dom, open.value); }
};
struct fast_kind {
  struct token { srcu_ctr* value; };
  static int init(srcu_struct* dom) noexcept { return init_srcu_struct_fast(dom); }
  static token lock(srcu_struct* dom) noexcept { return {srcu_read_lock_fast(dom)}; }
  static void unlock(srcu_struct* dom, token open) noexcept { srcu_read_unlock_fast(dom, open.value); }
};
struct fast_updown_kind {
  struct token { srcu_ctr* value; };
  struct down_token { srcu_ctr* value; };
  static int init(srcu_struct* dom) noexcept { return init_srcu_struct_fast_updown(dom); }
  static token lock(srcu_struct* dom) noexcept { return {srcu_read_lock_fast_updown(dom)}; }
  static void unlock(srcu_struct* dom, token open) noexcept { srcu_read_unlock_fast_updown(dom, open.value); }
  static down_token down(srcu_struct* dom) noexcept { return {srcu_down_read_fast(dom)}; }
  static void up(srcu_struct* dom, down_token open) noexcept { srcu_up_read_fast(dom, open.value); }
};
/// @}

/// Stands for a grace period of a domain, which it must not outlive. The default is one that has ended.
class cookie {
 public:
  cookie() noexcept = default;
  cookie(srcu_struct* dom, unsigned long state) noexcept : domain_(dom), state_(state) {}

  /// Whether it has ended. Once true, always true, and as good as a synchronize().
  bool poll() const noexcept { return !domain_ || poll_state_synchronize_srcu(domain_, state_); }
  /// Returns when it has, or, where it had not yet, after a grace period from now.
  void wait() const noexcept {
    if (!poll()) synchronize_srcu(domain_);
  }
  friend bool operator==(cookie one, cookie other) noexcept {
    return one.domain_ == other.domain_ && same_state_synchronize_srcu(one.state_, other.state_);
  }
  friend bool operator!=(cookie one, cookie other) noexcept { return !(one == other); }

 private:
  srcu_struct* domain_ = nullptr;
  unsigned long state_ = get_completed_synchronize_srcu();
};

/// A domain that lives as long as the object.
template <class Kind>
class basic_domain {
 public:
  /// Throws std::system_error without memory, or if the helper thread cannot be started. Compiled without exceptions,
  /// ends the process, with a line that says why.
  basic_domain() {
    const int error = Kind::init(&srcu_);
    if (error == 0) return;
#ifdef __cpp_exceptions
    throw std::system_error(-error, std::generic_category(), "srcu: no domain");
#else
    std::fprintf(stderr, "srcu: no domain: %s\n", std::strerror(-error));
    std::abort();
#endif
  }
  /// Waits for the callbacks posted so far. Ends the process, with a line that says why, if sections are open or
  /// callbacks have posted more: who retires from a deleter calls barrier() first, as often as such a chain is long.
  ~basic_domain() {
    srcu_barrier(&srcu_);
    cleanup_srcu_struct(&srcu_);
    if (srcu_.srcu_sup) std::abort();  // it refused, and this memory cannot stay
  }
  basic_domain(const basic_domain&) = delete;
  basic_domain& operator=(const basic_domain&) = delete;

  /// For the functions of srcu.h.
  srcu_struct* get() noexcept { return &srcu_; }

  /// \name Sections without a guard. down() and up(): on different threads, and where the kind has them.
  /// @{
  [[nodiscard]] auto lock() noexcept { return Kind::lock(&srcu_); }
  void unlock(typename Kind::token open) noexcept { Kind::unlock(&srcu_, open); }
  template <class K = Kind>
  [[nodiscard]] typename K::down_token down() noexcept { return K::down(&srcu_); }
  template <class K = Kind>
  void up(typename K::down_token open) noexcept { K::up(&srcu_, open); }
  /// @}

  void synchronize() noexcept { synchronize_srcu(&srcu_); }
  void synchronize_expedited() noexcept { synchronize_srcu_expedited(&srcu_); }
  void barrier() noexcept { srcu_barrier(&srcu_); }
  [[nodiscard]] cookie get_state() noexcept { return {&srcu_, get_state_synchronize_srcu(&srcu_)}; }
  [[nodiscard]] cookie start_poll() noexcept { return {&srcu_, start_poll_synchronize_srcu(&srcu_)}; }

 private:
  srcu_struct srcu_;
};

using domain = basic_domain<normal_kind>;
using fast_domain = basic_domain<fast_kind>;
using fast_updown_domain = basic_domain<fast_updown_kind>;

/// A section, on one thread. Costs what lock and unlock do.
template <class Kind>
class [[nodiscard]] read_guard {
 public:
  [[nodiscard]] explicit read_guard(basic_domain<Kind>& dom) noexcept : domain_(dom.get()), open_(dom.lock()) {}
  ~read_guard() { Kind::unlock(domain_, open_); }
  read_guard(const read_guard&) = delete;
  read_guard& operator=(const read_guard&) = delete;

 private:
  srcu_struct* const domain_;
  const typename Kind::token open_;
};

/// A section that may be moved to another thread, and end there. For domains of kinds with down() and up().
template <class Kind>
class [[nodiscard]] down_guard {
 public:
  [[nodiscard]] explicit down_guard(basic_domain<Kind>& dom) noexcept : domain_(dom.get()), open_(dom.down()) {}
  [[nodiscard]] down_guard(down_guard&& other) noexcept : domain_(std::exchange(other.domain_, nullptr)), open_(other.open_) {}
  down_guard& operator=(down_guard other) noexcept {
    std::swap(domain_, other.domain_);
    std::swap(open_, other.open_);
    return *this;
  }
  ~down_guard() {
    if (domain_) Kind::up(domain_, open_);
  }

 private:
  srcu_struct* domain_;
  typename Kind::down_token open_;
};

/// Base of objects that can be retired without allocating. Two words.
class retirable {
 protected:
  retirable() noexcept {}
  retirable(const retirable&) noexcept {}
  retirable& operator=(const retirable&) noexcept { return *this; }
  ~retirable() = default;

 private:
  mutable rcu_head head_;  // the library's, between retire() and the deleter

  friend struct retiring;
};

/// Not for users.
struct retiring {
  /// Whether nothing need be allocated.
  template <class Pointer, class Deleter>
  static constexpr bool in_place = std::is_base_of_v<retirable, std::remove_pointer_t<Pointer>> && std::is_pointer_v<Pointer> &&
                                   std::is_empty_v<Deleter> && std::is_default_constructible_v<Deleter>;

  template <class T, class Deleter>
  static void post(srcu_struct* dom, T* object) noexcept {
    call_srcu(dom, &static_cast<const retirable*>(object)->head_, [](rcu_head* head) noexcept {
      // The head is a retirable's first member.
      Deleter()(static_cast<T*>(reinterpret_cast<std::conditional_t<std::is_const_v<T>, const retirable*, retirable*>>(head)));
    });
  }

  /// An object that has no room for a head. If this is made, the rest does not fail.
  template <class Pointer, class Deleter>
  struct record : rcu_head {
    Pointer object;
    Deleter deleter;

    template <class D>
    record(Pointer pointer, D&& from) : object(pointer), deleter(std::forward<D>(from)) {}
    void post(srcu_struct* dom) noexcept {
      call_srcu(dom, this, [](rcu_head* head) noexcept {
        const std::unique_ptr<record> mine(static_cast<record*>(head));
        mine->deleter(mine->object);
      });
    }
  };
};

/// Has `deleter(object)` called after a grace period; the object is unpublished already. Does not wait. The deleter
/// runs on the helper thread, and must not throw. Of a null pointer: nothing, as delete.
///
/// Nothing is allocated if T derives from retirable (not virtually) and the deleter has no state and can be made by
/// default; in C++17 no lambda can. Then this may be called from wherever call_srcu() may. Otherwise three words and
/// the deleter are allocated by new; if that throws, nothing has been retired.
template <class Kind, class T, class Deleter = std::default_delete<T>>
void retire(basic_domain<Kind>& dom, T* object, Deleter deleter = Deleter()) {
  if (!object) return;
  if constexpr (retiring::in_place<T*, Deleter>)
    retiring::post<T, Deleter>(dom.get(), object);
  else
    (new retiring::record<T*, Deleter>(object, std::move(deleter)))->post(dom.get());
}

/// The same for what a unique_ptr owns, which keeps it if this throws.
template <class Kind, class T, class Deleter>
void retire(basic_domain<Kind>& dom, std::unique_ptr<T, Deleter>&& object) {
  using pointer = typename std::unique_ptr<T, Deleter>::pointer;
  if (!object) return;
  if constexpr (retiring::in_place<pointer, Deleter>) {
    retiring::post<std::remove_pointer_t<pointer>, Deleter>(dom.get(), object.release());
  } else {
    auto* const made = new retiring::record<pointer, Deleter>(object.get(), std::forward<Deleter>(object.get_deleter()));
    object.release();
    made->post(dom.get());
  }
}

}  // namespace srcu

#endif  // SRCU_SRCU_HPP
