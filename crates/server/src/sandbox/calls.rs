//! System calls, with seccomp: those that are named here, and no other.
//!
//! What is not named fails as on a kernel that does not have it, so that a library takes its older way: the process is not killed by
//! a new release of the C library. New processes cannot be made, nor programs run: `clone` makes threads alone, and `clone3`, whose
//! arguments a filter cannot see, is not there.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};

/// The filter could not be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallsError {
    /// It could not be made, or this processor is not known.
    #[error("no filter of system calls can be made: {0}")]
    Filter(#[from] BackendError),
    /// The kernel did not take it.
    #[error("the kernel takes no filter of system calls: {0}")]
    Kernel(#[from] seccompiler::Error),
}

/// Restricts all threads.
pub(super) fn restrict() -> Result<(), CallsError> {
    Ok(apply_filter_all_threads(&program()?)?)
}

fn program() -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(OF_THIS_PROCESSOR).map(|call| (*call, Vec::new())).collect();
    // Threads, not processes.
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let flags = SeccompCmpOp::MaskedEq(thread);
    rules.insert(libc::SYS_clone, vec![one(0, SeccompCmpArgLen::Qword, flags, thread)?]);
    let equal = |argument, allowed: &[u64]| -> Result<Vec<SeccompRule>, BackendError> {
        allowed.iter().map(|value| one(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value)).collect()
    };
    rules.insert(libc::SYS_socket, equal(0, &FAMILIES)?);
    rules.insert(libc::SYS_ioctl, equal(1, &REQUESTS)?);
    let missing = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let filter =
        SeccompFilter::new(rules, missing, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?;
    filter.try_into()
}

fn one(
    argument: u8,
    len: SeccompCmpArgLen,
    is: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, len, is, value)?])
}

/// AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK, by which the C library asks for addresses.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];
/// FIONREAD, FIONBIO and TCGETS: how much is there to read, do not wait, and is it a terminal.
const REQUESTS: [u64; 3] = [0x541b, 0x5421, 0x5401];

/// Calls that every processor has.
const ALLOWED: &[i64] = &[
    // Files.
    libc::SYS_close,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_linkat,
    libc::SYS_lseek,
    libc::SYS_mkdirat,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sync_file_range,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
    // Memory, locked and secret memory among it.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_memfd_secret,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munlock,
    libc::SYS_munmap,
    // Threads, signals and time.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getpriority,
    libc::SYS_getrandom,
    libc::SYS_get_robust_list,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_membarrier,
    libc::SYS_nanosleep,
    libc::SYS_prctl,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_setpriority,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    // Sockets, and waiting for them.
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_listen,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_socketpair,
    // What the process is, and what it may use.
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_prlimit64,
    libc::SYS_sysinfo,
    libc::SYS_uname,
];

/// Older forms of calls above, which this processor has as well.
#[cfg(target_arch = "x86_64")]
const OF_THIS_PROCESSOR: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_chmod,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_getrlimit,
    libc::SYS_link,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_rmdir,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OF_THIS_PROCESSOR: &[i64] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_can_be_made_and_makes_no_processes_and_runs_no_programs() {
        assert!(!program().unwrap().is_empty());
        let allowed: Vec<_> = ALLOWED.iter().chain(OF_THIS_PROCESSOR).collect();
        for dangerous in [
            libc::SYS_bpf,
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_io_uring_setup,
            libc::SYS_keyctl,
            libc::SYS_mount,
            libc::SYS_process_vm_readv,
            libc::SYS_ptrace,
            libc::SYS_setns,
            libc::SYS_setuid,
            libc::SYS_unshare,
        ] {
            assert!(!allowed.contains(&&dangerous), "{dangerous}");
        }
    }
}
