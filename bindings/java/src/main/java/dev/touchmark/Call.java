package dev.touchmark;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;

/** One call into the library: its arguments live, and the handles that it uses are not freed, until it is closed. */
final class Call implements AutoCloseable {
    private final List<Memory> memory = new ArrayList<>(4);
    private final List<Handle> used = new ArrayList<>(4);
    private final List<Pointer> signers = new ArrayList<>(0);
    final Callbacks callbacks;
    final PointerByReference out = new PointerByReference();
    final PointerByReference error = new PointerByReference();

    private Call(Callbacks callbacks) {
        this.callbacks = callbacks;
    }

    /** What is done in a call; the status. */
    interface Body {
        int run(Call call) throws TouchmarkException;
    }

    /** Makes an object. */
    static Pointer object(Body body) throws TouchmarkException {
        return object(new Callbacks(), object -> {}, body);
    }

    /** The same with callbacks. If one of them failed, what the library made without it is freed. */
    static Pointer object(Callbacks callbacks, Consumer<Pointer> free, Body body) throws TouchmarkException {
        try (Call call = new Call(callbacks)) {
            int status = body.run(call);
            try {
                call.check(status);
            } catch (TouchmarkException e) {
                if (status == 0 && call.out.getValue() != null) {
                    free.accept(call.out.getValue());
                }
                throw e;
            }
            return call.out.getValue();
        }
    }

    /** Makes a buffer. */
    static byte[] buffer(Body body) throws TouchmarkException {
        return buffer(new Callbacks(), body);
    }

    static byte[] buffer(Callbacks callbacks, Body body) throws TouchmarkException {
        Pointer buffer = object(callbacks, C::touchmark_buffer_free, body);
        try {
            return C.touchmark_buffer_bytes(buffer).copied();
        } finally {
            C.touchmark_buffer_free(buffer);
        }
    }

    static String bufferText(Body body) throws TouchmarkException {
        return string(buffer(body));
    }

    static void run(Body body) throws TouchmarkException {
        object(body);
    }

    /** What an object says of itself. Nothing empty of one that was closed may be taken for what it held. */
    static <T> T of(Handle handle, Function<Pointer, T> f) {
        Pointer object = handle.acquire();
        if (object == null) {
            throw new IllegalStateException("this " + handle.getClass().getSimpleName() + " is closed");
        }
        try {
            return f.apply(object);
        } finally {
            handle.release();
        }
    }

    static byte[] bytes(Handle handle, Function<Pointer, C.Bytes> f) {
        return of(handle, object -> f.apply(object).copied());
    }

    static String text(Handle handle, Function<Pointer, C.Bytes> f) {
        return string(bytes(handle, f));
    }

    static String string(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private Memory allocate(long size) {
        Memory block = new Memory(size);
        memory.add(block);
        return block;
    }

    C.Bytes view(byte[] content) {
        C.Bytes view = new C.Bytes();
        if (content != null && content.length > 0) {
            Memory block = allocate(content.length);
            block.write(0, content, 0, content.length);
            view.ptr = block;
            view.len = content.length;
        }
        return view;
    }

    /** Text. Half of a surrogate pair would become a question mark, and so another text. */
    C.Bytes view(String text) {
        if (text == null) {
            return view((byte[]) null);
        }
        try {
            ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] bytes = new byte[utf8.remaining()];
            utf8.get(bytes);
            return view(bytes);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a string with half of a surrogate pair is no text", e);
        }
    }

    /** A platform, or null for none, which is what the library takes empty text for. */
    C.Bytes platform(String platform) throws TouchmarkException {
        if (platform != null && platform.isEmpty()) {
            throw TouchmarkException.of(Status.INVALID_ARGUMENT, "invalid-argument", "the platform is empty", "{}", null);
        }
        return view(platform);
    }

    /** What a failure says, of which what is no text is replaced. */
    C.Bytes message(String text) {
        return view(text.getBytes(StandardCharsets.UTF_8));
    }

    private Pointer views(List<C.Bytes> views) {
        if (views.isEmpty()) {
            return null;
        }
        Memory array = allocate(16L * views.size());
        for (int i = 0; i < views.size(); i++) {
            array.setPointer(16L * i, views.get(i).ptr);
            array.setLong(16L * i + 8, views.get(i).len);
        }
        return array;
    }

    Pointer array(Collection<byte[]> contents) {
        return views(contents.stream().map(this::view).toList());
    }

    Pointer texts(Collection<String> texts) {
        return views(texts.stream().map(this::view).toList());
    }

    Pointer pairs(Map<String, String> pairs) {
        List<C.Bytes> views = new ArrayList<>();
        pairs.forEach((key, value) -> {
            views.add(view(Objects.requireNonNull(key)));
            views.add(view(Objects.requireNonNull(value)));
        });
        return views(views);
    }

    /** The handle's object. */
    Pointer use(Handle handle) {
        Pointer object = handle == null ? null : handle.acquire();
        if (object != null) {
            used.add(handle);
        }
        return object;
    }

    /** The object of a handle that one call at a time may use. */
    Pointer alone(Handle handle) throws TouchmarkException {
        Pointer object = handle.acquireAlone();
        if (object != null) {
            used.add(handle);
        }
        return object;
    }

    private Pointer pointers(List<Pointer> all) {
        if (all.isEmpty()) {
            return null;
        }
        Memory array = allocate(8L * all.size());
        for (int i = 0; i < all.size(); i++) {
            array.setPointer(8L * i, all.get(i));
        }
        return array;
    }

    Pointer handles(Collection<? extends Handle> handles) {
        List<Pointer> all = new ArrayList<>(handles.size());
        handles.forEach(handle -> all.add(use(handle)));
        return pointers(all);
    }

    /** The library's signers, made for this one call, so that what their callbacks throw is the call's own. */
    Pointer signers(List<Signer> all) throws TouchmarkException {
        for (Signer signer : all) {
            signers.add(signer(signer));
        }
        return pointers(signers);
    }

    private Pointer signer(Signer signer) throws TouchmarkException {
        if (signer.key() != null) {
            check(C.touchmark_signer_from_key(use(signer.key()), out, error));
        } else {
            check(C.touchmark_signer_from_callback(use(signer.publicKey()), callbacks.sign(signer.function()), null, out, error));
        }
        Pointer made = out.getValue();
        out.setValue(null);
        return made;
    }

    void check(int status) throws TouchmarkException {
        if (status != 0) {
            throw callbacks.explain(TouchmarkException.taken(status, error.getValue()));
        }
        TouchmarkException failure = callbacks.failure();
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void close() {
        signers.forEach(C::touchmark_signer_free);
        used.forEach(Handle::release);
        // Some of it may have been secret.
        for (Memory block : memory) {
            block.clear();
            block.close();
        }
    }

    /** Tells a sink what there is, or why not. */
    static int give(Pointer sink, byte[] content) {
        try (Call call = new Call(null)) {
            return C.touchmark_sink_append(sink, call.view(content));
        }
    }

    static void fail(Pointer sink, String message) {
        try (Call call = new Call(null)) {
            C.touchmark_sink_fail(sink, call.message(message));
        }
    }
}
