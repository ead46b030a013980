package dev.touchmark;

import com.sun.jna.Callback;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.PointerByReference;

/** The functions of {@code touchmark.h}, by the same names. */
final class C {
    static {
        if (Native.SIZE_T_SIZE != 8) {
            throw new UnsatisfiedLinkError("touchmark needs a virtual machine of 64 bits");
        }
        // A path, or a name that JNA looks for: in jna.library.path, where the system keeps libraries, and in the jar.
        NativeLibrary library = NativeLibrary.getInstance(System.getProperty("touchmark.library", "touchmark"));
        Native.register(C.class, library);
        checkVersion(library.getFile() == null ? library.getName() : library.getFile().getPath(), touchmark_abi_version());
    }

    private C() {}

    /** A library of another version has other structures and numbers: a system may have one, which JNA finds before that in the jar. */
    static void checkVersion(String file, int version) {
        int major = version >>> 24;
        int minor = version >>> 12 & 0xfff;
        if (major != 0 || minor != 1) {
            throw new UnsatisfiedLinkError("the library " + file + " has the interface " + major + "." + minor + ", and not 0.1");
        }
    }

    /** {@code touchmark_bytes}: a view. */
    @Structure.FieldOrder({"ptr", "len"})
    public static class Bytes extends Structure implements Structure.ByValue {
        public Pointer ptr;
        public long len;

        byte[] copied() {
            return len == 0 ? new byte[0] : ptr.getByteArray(0, Math.toIntExact(len));
        }
    }

    /** {@code touchmark_bytes} within another structure. */
    @Structure.FieldOrder({"ptr", "len"})
    public static class View extends Structure {
        public Pointer ptr;
        public long len;

        byte[] copied() {
            return len == 0 ? new byte[0] : ptr.getByteArray(0, Math.toIntExact(len));
        }
    }

    /** {@code touchmark_need}. */
    @Structure.FieldOrder({"kind", "thorough", "digest", "limit", "entries"})
    public static class Need extends Structure {
        public int kind;
        public int thorough;
        public View digest;
        public long limit;
        public long entries;
    }

    /** {@code touchmark_tuf_step}. */
    @Structure.FieldOrder({"kind", "reserved", "name", "bytes", "limit"})
    public static class TufStep extends Structure {
        public int kind;
        public int reserved;
        public View name;
        public View bytes;
        public long limit;
    }

    /** {@code touchmark_supply_chain_need}. */
    @Structure.FieldOrder({"kind", "reserved", "name", "step", "limit"})
    public static class SupplyChainNeed extends Structure {
        public int kind;
        public int reserved;
        public View name;
        public View step;
        public long limit;
    }

    /** {@code touchmark_sign_fn}. */
    public interface Sign extends Callback {
        int invoke(Pointer userdata, Bytes message, Pointer sink);
    }

    /** {@code touchmark_fetch_fn}. */
    public interface Fetch extends Callback {
        int invoke(Pointer userdata, Bytes path, long limit, Pointer sink);
    }

    /** The {@code store} of {@code touchmark_tuf_callbacks}. */
    public interface StoreFile extends Callback {
        int invoke(Pointer userdata, Bytes file, Bytes bytes);
    }

    /** The {@code remove} of {@code touchmark_tuf_callbacks}. */
    public interface RemoveFile extends Callback {
        int invoke(Pointer userdata, Bytes file);
    }

    /** {@code touchmark_tuf_callbacks}. */
    @Structure.FieldOrder({"struct_size", "userdata", "fetch", "load", "store", "remove"})
    public static class TufCallbacks extends Structure {
        public long struct_size;
        public Pointer userdata;
        public Fetch fetch;
        public Fetch load;
        public StoreFile store;
        public RemoveFile remove;
    }

    static native int touchmark_abi_version();
    static native Bytes touchmark_version();
    static native Bytes touchmark_status_name(int status);
    static native int touchmark_features();

    static native int touchmark_error_status(Pointer error);
    static native Bytes touchmark_error_code(Pointer error);
    static native Bytes touchmark_error_message(Pointer error);
    static native Bytes touchmark_error_json(Pointer error);
    static native void touchmark_error_free(Pointer error);
    static native Bytes touchmark_buffer_bytes(Pointer buffer);
    static native void touchmark_buffer_free(Pointer buffer);
    static native int touchmark_sink_append(Pointer sink, Bytes bytes);
    static native int touchmark_sink_fail(Pointer sink, Bytes message);

    static native int touchmark_canonical_json(Bytes document, PointerByReference out, PointerByReference error);
    static native int touchmark_digest(int algorithm, Bytes content, PointerByReference out, PointerByReference error);
    static native int touchmark_hasher_new(int algorithm, PointerByReference out, PointerByReference error);
    static native int touchmark_hasher_update(Pointer hasher, Bytes piece, PointerByReference error);
    static native int touchmark_hasher_finish(Pointer hasher, PointerByReference out, PointerByReference error);
    static native void touchmark_hasher_free(Pointer hasher);
    static native int touchmark_name_check(Bytes name, PointerByReference error);

    static native int touchmark_public_key_read(Bytes document, PointerByReference out, PointerByReference error);
    static native int touchmark_public_key_from_raw(int algorithm, Bytes raw, PointerByReference out, PointerByReference error);
    static native int touchmark_public_key_algorithm(Pointer key);
    static native Bytes touchmark_public_key_raw(Pointer key);
    static native Bytes touchmark_public_key_id(Pointer key);
    static native int touchmark_public_key_to_pem(Pointer key, PointerByReference out, PointerByReference error);
    static native int touchmark_public_key_verify(Pointer key, Bytes message, Bytes signature, PointerByReference error);
    static native void touchmark_public_key_free(Pointer key);
    static native int touchmark_private_key_generate(int algorithm, PointerByReference out, PointerByReference error);
    static native int touchmark_private_key_read(Bytes document, Bytes passphrase, PointerByReference out, PointerByReference error);
    static native int touchmark_private_key_to_pem(Pointer key, PointerByReference out, PointerByReference error);
    static native int touchmark_private_key_to_encrypted_pem(Pointer key, Bytes passphrase, PointerByReference out, PointerByReference error);
    static native int touchmark_private_key_public(Pointer key, PointerByReference out, PointerByReference error);
    static native void touchmark_private_key_free(Pointer key);
    static native int touchmark_signer_from_key(Pointer key, PointerByReference out, PointerByReference error);
    static native int touchmark_signer_from_callback(
            Pointer key, Sign sign, Pointer userdata, PointerByReference out, PointerByReference error);
    static native void touchmark_signer_free(Pointer signer);

    static native int touchmark_envelope_parse(Bytes document, PointerByReference out, PointerByReference error);
    static native Bytes touchmark_envelope_payload_type(Pointer envelope);
    static native Bytes touchmark_envelope_untrusted_payload(Pointer envelope);
    static native long touchmark_envelope_signature_count(Pointer envelope);
    static native Bytes touchmark_envelope_signature_keyid(Pointer envelope, long index);
    static native int touchmark_envelope_to_json(Pointer envelope, PointerByReference out, PointerByReference error);
    static native int touchmark_envelope_verify(
            Pointer envelope, Pointer keys, long count, long threshold, PointerByReference out, PointerByReference error);
    static native void touchmark_envelope_free(Pointer envelope);
    static native Bytes touchmark_verified_envelope_payload(Pointer envelope);
    static native Bytes touchmark_verified_envelope_payload_type(Pointer envelope);
    static native long touchmark_verified_envelope_key_count(Pointer envelope);
    static native Bytes touchmark_verified_envelope_key_id(Pointer envelope, long index);
    static native void touchmark_verified_envelope_free(Pointer envelope);
    static native int touchmark_envelope_sign(
            Bytes payloadType, Bytes payload, Pointer signers, long count, PointerByReference out, PointerByReference error);
    static native int touchmark_envelope_add_signature(Pointer envelope, Pointer signer, PointerByReference out, PointerByReference error);
    static native int touchmark_sign_manifest(
            Bytes manifest, Bytes mediaType, Bytes name, Pointer annotations, long annotationCount, long issued, long expires,
            Pointer signers, long count, PointerByReference out, PointerByReference error);

    static native int touchmark_policy_builder_from_keys(
            Pointer keys, long count, long threshold, PointerByReference out, PointerByReference error);
    static native int touchmark_policy_builder_from_standing(Pointer standing, PointerByReference out, PointerByReference error);
    static native int touchmark_policy_builder_set_name(Pointer builder, Bytes wanted, PointerByReference error);
    static native int touchmark_policy_builder_require_annotation(Pointer builder, Bytes key, Bytes value, PointerByReference error);
    static native int touchmark_policy_builder_require_predicate(Pointer builder, Bytes predicateType, PointerByReference error);
    static native int touchmark_policy_builder_accept_only(Pointer builder, int kinds, PointerByReference error);
    static native int touchmark_policy_builder_by_role(Pointer builder, Bytes role, PointerByReference error);
    static native int touchmark_policy_builder_require_supply_chain(
            Pointer builder, Bytes layout, Pointer keys, long count, PointerByReference error);
    static native int touchmark_policy_builder_build(Pointer builder, PointerByReference out, PointerByReference error);
    static native void touchmark_policy_builder_free(Pointer builder);
    static native void touchmark_policy_free(Pointer policy);
    static native int touchmark_policy_document_read(Bytes document, int origin, PointerByReference out, PointerByReference error);
    static native int touchmark_policy_document_check(Pointer document, PointerByReference out, PointerByReference error);
    static native int touchmark_policy_document_decide(
            Pointer document, Bytes reference, Bytes name, PointerByReference out, PointerByReference error);
    static native void touchmark_policy_document_free(Pointer document);

    static native int touchmark_verify_manifest(
            Pointer policy, Bytes manifest, Pointer envelopes, long count, long at, PointerByReference out, PointerByReference error);
    static native Bytes touchmark_verified_artifact_digest(Pointer artifact);
    static native Bytes touchmark_verified_artifact_media_type(Pointer artifact);
    static native long touchmark_verified_artifact_size(Pointer artifact);
    static native Bytes touchmark_verified_artifact_manifest(Pointer artifact);
    static native Bytes touchmark_verified_artifact_name(Pointer artifact);
    static native int touchmark_verified_artifact_to_json(Pointer artifact, PointerByReference out, PointerByReference error);
    static native void touchmark_verified_artifact_free(Pointer artifact);

    static native int touchmark_request_new(Pointer policy, Bytes digest, long at, PointerByReference out, PointerByReference error);
    static native int touchmark_request_covered_by(Pointer request, Bytes index, PointerByReference error);
    static native int touchmark_request_platform(Pointer request, Bytes platform, PointerByReference error);
    static native int touchmark_request_envelopes(Pointer request, Pointer envelopes, long count, PointerByReference error);
    static native int touchmark_request_deep(Pointer request, PointerByReference error);
    static native void touchmark_request_free(Pointer request);
    static native int touchmark_search_new(Pointer request, PointerByReference out, PointerByReference error);
    static native int touchmark_search_next(Pointer search, Need out, PointerByReference error);
    static native int touchmark_search_provide_bytes(Pointer search, Bytes content, PointerByReference error);
    static native int touchmark_search_provide_hash(Pointer search, Bytes digest, long size, PointerByReference error);
    static native int touchmark_search_provide_referrers(Pointer search, Bytes index, int complete, int more, PointerByReference error);
    static native int touchmark_search_provide_failure(Pointer search, int failure, Bytes message, PointerByReference error);
    static native int touchmark_search_finish(Pointer search, PointerByReference out, PointerByReference error);
    static native void touchmark_search_free(Pointer search);

    static native int touchmark_tuf_client_new(int offline, long at, PointerByReference out, PointerByReference error);
    static native int touchmark_tuf_client_next(Pointer client, TufStep out, PointerByReference error);
    static native int touchmark_tuf_client_provide_bytes(Pointer client, Bytes content, PointerByReference error);
    static native int touchmark_tuf_client_provide_absent(Pointer client, PointerByReference error);
    static native int touchmark_tuf_client_provide_done(Pointer client, PointerByReference error);
    static native int touchmark_tuf_client_provide_failure(Pointer client, int failure, Bytes message, PointerByReference error);
    static native int touchmark_tuf_client_look_up(Pointer client, Bytes path, PointerByReference error);
    static native int touchmark_tuf_client_found(Pointer client, PointerByReference out, PointerByReference error);
    static native int touchmark_tuf_client_standing(Pointer client, Bytes name, PointerByReference out, PointerByReference error);
    static native int touchmark_tuf_client_state_json(Pointer client, PointerByReference out, PointerByReference error);
    static native int touchmark_tuf_client_drive(Pointer client, TufCallbacks callbacks, PointerByReference error);
    static native void touchmark_tuf_client_free(Pointer client);
    static native long touchmark_tuf_target_length(Pointer target);
    static native Bytes touchmark_tuf_target_role(Pointer target);
    static native int touchmark_tuf_target_fetch_path(Pointer target, PointerByReference out, PointerByReference error);
    static native int touchmark_tuf_target_check(Pointer target, Bytes content, PointerByReference error);
    static native int touchmark_tuf_target_to_json(Pointer target, PointerByReference out, PointerByReference error);
    static native void touchmark_tuf_target_free(Pointer target);
    static native int touchmark_standing_to_json(Pointer standing, PointerByReference out, PointerByReference error);
    static native long touchmark_standing_expires(Pointer standing);
    static native void touchmark_standing_free(Pointer standing);

    static native int touchmark_supply_chain_new(
            Bytes layout, Pointer keys, long count, Pointer parameters, long parameterCount, long at,
            PointerByReference out, PointerByReference error);
    static native int touchmark_supply_chain_next(Pointer chain, SupplyChainNeed out, PointerByReference error);
    static native int touchmark_supply_chain_provide_bytes(Pointer chain, Bytes content, PointerByReference error);
    static native int touchmark_supply_chain_provide_absent(Pointer chain, PointerByReference error);
    static native int touchmark_supply_chain_provide_names(Pointer chain, Pointer names, long count, int complete, PointerByReference error);
    static native int touchmark_supply_chain_provide_failure(Pointer chain, int failure, Bytes message, PointerByReference error);
    static native int touchmark_supply_chain_finish(Pointer chain, PointerByReference out, PointerByReference error);
    static native void touchmark_supply_chain_free(Pointer chain);
    static native int touchmark_verified_supply_chain_to_json(Pointer chain, PointerByReference out, PointerByReference error);
    static native void touchmark_verified_supply_chain_free(Pointer chain);

    static native int touchmark_source_open(Bytes reference, PointerByReference out, PointerByReference error);
    static native int touchmark_source_digest(Pointer source, PointerByReference out, PointerByReference error);
    static native int touchmark_source_manifest(Pointer source, PointerByReference out, PointerByReference error);
    static native int touchmark_source_verify(Pointer source, Pointer policy, long at, PointerByReference out, PointerByReference error);
    static native int touchmark_source_verify_request(Pointer source, Pointer request, PointerByReference out, PointerByReference error);
    static native int touchmark_source_attach(Pointer source, Pointer envelopes, long count, PointerByReference error);
    static native void touchmark_source_free(Pointer source);
    static native int touchmark_policy_file_open(Bytes path, PointerByReference out, PointerByReference error);
    static native int touchmark_policy_file_verify(
            Pointer file, Pointer source, Bytes name, Bytes platform, long at, PointerByReference out, PointerByReference error);
    static native void touchmark_policy_file_free(Pointer file);
    static native int touchmark_trust_root_open(
            Bytes root, Bytes metadata, Bytes store, long at, PointerByReference out, PointerByReference error);
    static native int touchmark_trust_root_open_with(
            Bytes root, Fetch metadata, Fetch target, Pointer userdata, Bytes store, long at,
            PointerByReference out, PointerByReference error);
    static native int touchmark_trust_root_verify(
            Pointer root, Pointer source, Bytes name, Bytes platform, long at, PointerByReference out, PointerByReference error);
    static native int touchmark_trust_root_standing(Pointer root, Bytes name, PointerByReference out, PointerByReference error);
    static native int touchmark_trust_root_target(Pointer root, Bytes path, PointerByReference out, PointerByReference error);
    static native int touchmark_trust_root_notes_json(Pointer root, PointerByReference out, PointerByReference error);
    static native void touchmark_trust_root_free(Pointer root);
    static native int touchmark_supply_chain_verify_folder(
            Bytes layout, Pointer keys, long count, Bytes links, Pointer parameters, long parameterCount, long at,
            PointerByReference out, PointerByReference error);
}
