package io.weft.it.chaos;

import java.util.Optional;

/** What is held against the count of requests that were sent while something was broken. */
enum Promise {
    NO_REQUEST_FAILS("no request fails") {
        @Override
        Optional<String> broken(Count count) {
            return count.failed() == 0 ? Optional.empty() : Optional.of(count.failed() + " failed");
        }
    },
    FAILS_OPEN("fails open: no request fails that would not have without Weft") {
        @Override
        Optional<String> broken(Count count) {
            return NO_REQUEST_FAILS.broken(count);
        }
    },
    FAILS_AS_WITHOUT("a response that has begun cannot be begun again: it fails as without Weft, and nothing else does") {
        @Override
        Optional<String> broken(Count count) {
            return count.failed() <= count.requests() / 2 ? Optional.empty() : Optional.of(count.failed() + " failed, more than one of two instances gets");
        }
    },
    FAILS_CLOSED("fails closed: no request is answered") {
        @Override
        Optional<String> broken(Count count) {
            return count.failed() == count.requests() ? Optional.empty() : Optional.of(count.requests() - count.failed() + " were answered");
        }
    },
    FAILS_SOON("nobody is left to answer: requests fail, each within two seconds, until somebody is there again") {
        @Override
        Optional<String> broken(Count count) {
            return count.slowestMillis() <= SOON_MILLIS ? Optional.empty() : Optional.of("one took " + count.slowestMillis() + " ms");
        }
    };

    private static final int SOON_MILLIS = 2_000;

    private final String words;

    Promise(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }

    /** What breaks it beside requests that were decided wrongly. */
    abstract Optional<String> broken(Count count);

    /** @return how it was broken; empty: it was kept */
    Optional<String> brokenBy(Count count) {
        if (count.requests() == 0) {
            return Optional.of("no request was sent");
        }
        return count.wrong() == 0 ? broken(count) : Optional.of(count.wrong() + " went where no policy sends them");
    }
}
