// A test peer of ours, in front of the simulated AES: not shipped, and no copy of the vendor's client.
package org.unifiedagent.testpeer;

import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Calls observers on a pool of threads: each observer in order and never twice at once, different ones in parallel.
 * The threads are no daemons, so that a process that forgets to shut its provider down does not end.
 */
final class Deliveries {
    private static final ThreadLocal<Boolean> DELIVERING = ThreadLocal.withInitial(() -> false);

    private final ExecutorService pool;
    private final int delayMs;
    private final int repeat;
    private final Map<Object, Mailbox> mailboxes = new IdentityHashMap<>();

    private static final class Mailbox {
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
        private boolean busy;
    }

    Deliveries(Parameters parameters) {
        pool = Executors.newFixedThreadPool((int) parameters.number("x-threads", 20));
        delayMs = (int) parameters.number("x-delay-ms", 0);
        repeat = (int) parameters.number("x-repeat", 1);
    }

    /** Whether this thread is in a callback. */
    static boolean isDelivering() {
        return DELIVERING.get();
    }

    /** Have an observer called, after what waits for it already. */
    void deliver(Object observer, Runnable delivery) {
        enqueue(observer, () -> {
            late();
            call(delivery);
        });
    }

    /**
     * Take a place among what waits for an observer, for a delivery on the calling thread. What is returned is to be
     * run by that thread; until it has run the observer gets nothing else.
     */
    Runnable deliverHere(Object observer, Runnable delivery) {
        CountDownLatch turn = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        boolean placed = enqueue(observer, () -> {
            turn.countDown();
            await(done);
        });
        return !placed ? () -> { } : () -> {
            await(turn);
            try {
                call(delivery);
            } finally {
                done.countDown();
            }
        };
    }

    /** End the threads when everything is delivered. */
    void end() {
        synchronized (mailboxes) {
            pool.shutdown();
        }
    }

    private boolean enqueue(Object observer, Runnable task) {
        synchronized (mailboxes) {
            if (pool.isShutdown()) {
                return false;
            }
            Mailbox mailbox = mailboxes.computeIfAbsent(observer, each -> new Mailbox());
            mailbox.waiting.add(task);
            if (!mailbox.busy) {
                mailbox.busy = true;
                pool.execute(() -> drain(observer, mailbox));
            }
            return true;
        }
    }

    private void drain(Object observer, Mailbox mailbox) {
        while (true) {
            Runnable task;
            synchronized (mailboxes) {
                task = mailbox.waiting.poll();
                if (task == null) {
                    mailbox.busy = false;
                    mailboxes.remove(observer);
                    return;
                }
            }
            task.run();
        }
    }

    private void call(Runnable delivery) {
        DELIVERING.set(true);
        try {
            for (int times = 0; times < repeat; times++) {
                delivery.run();
            }
        } catch (Throwable error) {
            // As the vendor's client: what a callback raises is written down and dropped.
            error.printStackTrace();
        } finally {
            DELIVERING.set(false);
        }
    }

    private void late() {
        if (delayMs > 0) {
            try {
                Thread.sleep(ThreadLocalRandom.current().nextInt(delayMs + 1));
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }
}
