package io.weft.instrumentation.httpurlconnection;

import io.weft.dataplane.RequestChanges;
import io.weft.instrumentation.EditableHeaders;
import sun.net.www.MessageHeader;

/** The JDK's header list, whose first element is the request line or the status line. */
record JdkHeaders(MessageHeader list) implements EditableHeaders {

    /** The list as it goes out: a copy when something is changed, so that the app keeps seeing its own. */
    static MessageHeader wire(MessageHeader list, RequestChanges changes) {
        if (changes.equals(RequestChanges.NONE)) {
            return list;
        }
        MessageHeader copy = new MessageHeader();
        for (int i = 0; list.getKey(i) != null || list.getValue(i) != null; i++) {
            copy.add(list.getKey(i), list.getValue(i));
        }
        if (changes.path() != null) {
            String[] requestLine = copy.getKey(0).split(" ");
            copy.set(0, requestLine[0] + " " + changes.path() + " " + requestLine[requestLine.length - 1], null);
        }
        JdkHeaders headers = new JdkHeaders(copy);
        headers.change(changes);
        if (changes.authority() != null) {
            headers.set("Host", changes.authority());
        }
        return copy;
    }

    @Override
    public boolean contains(String name) {
        return list.findValue(name) != null;
    }

    @Override
    public void add(String name, String value) {
        list.add(name, value);
    }

    @Override
    public void set(String name, String value) {
        if (contains(name)) {
            list.remove(name);
        }
        list.add(name, value);
    }

    @Override
    public void remove(String name) {
        list.remove(name);
    }
}
