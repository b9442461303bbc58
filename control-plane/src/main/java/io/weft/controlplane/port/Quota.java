package io.weft.controlplane.port;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** So much of something at once, of which one address alone gets only a part; who gets none may wait. Thread-safe. */
public final class Quota {

    private final long all;
    private final long forOne;
    /** Guarded by this, as all that follows. */
    private final Map<InetAddress, Long> taken = new HashMap<>();
    private long sum;
    /** Those who came first get it first, each address by itself. */
    private final Set<Waiting> waiting = new LinkedHashSet<>();

    /**
     * Somebody for whom there is not so much left yet.
     *
     * @param granted run once, on the thread of whoever gives something back
     */
    public record Waiting(InetAddress who, long amount, Runnable granted) {
        @Override
        public boolean equals(Object other) {
            return this == other;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    /** @param forOne at most {@code all} */
    public Quota(long all, long forOne) {
        this.all = all;
        this.forOne = forOne;
    }

    /** False: there is not so much left, and nothing has been taken. */
    public synchronized boolean take(InetAddress who, long amount) {
        long own = taken.getOrDefault(who, 0L);
        if (own + amount > forOne || sum + amount > all) {
            return false;
        }
        if (amount > 0) {
            taken.put(who, own + amount);
            sum += amount;
        }
        return true;
    }

    /** True: it has been taken. False: it will be, and then that is said, unless it is {@link #giveUp} before. */
    public synchronized boolean takeOrWait(Waiting one) {
        if (one.amount == 0 || waiting.stream().noneMatch(other -> other.who.equals(one.who)) && take(one.who, one.amount)) {
            return true;
        }
        waiting.add(one);
        return false;
    }

    /** False: it is not waiting any more, and has what it wanted. */
    public synchronized boolean giveUp(Waiting one) {
        return waiting.remove(one);
    }

    /** @param amount that has been taken before */
    public void giveBack(InetAddress who, long amount) {
        if (amount > 0) {
            for (Waiting next : returned(who, amount)) {
                next.granted.run();
            }
        }
    }

    private synchronized List<Waiting> returned(InetAddress who, long amount) {
        taken.computeIfPresent(who, (key, own) -> own == amount ? null : own - amount);
        sum -= amount;
        List<Waiting> granted = new ArrayList<>();
        Set<InetAddress> passedOver = new HashSet<>();
        for (Iterator<Waiting> each = waiting.iterator(); each.hasNext() && sum < all;) {
            Waiting next = each.next();
            if (!passedOver.contains(next.who) && take(next.who, next.amount)) {
                each.remove();
                granted.add(next);
            } else {
                passedOver.add(next.who);
            }
        }
        return granted;
    }
}
