using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>The part of flite 2.2's C API that we call (flite.h, cst_item.h, cst_audio.h).</summary>
internal static partial class FliteNative
{
    public const string Library = "libflite.so.1";

    [LibraryImport(Library, EntryPoint = "flite_init")]
    public static partial int Initialize();

    [LibraryImport(Library, EntryPoint = "delete_voice")]
    public static partial void DeleteVoice(nint voice);

    [LibraryImport(Library, EntryPoint = "flite_synth_text", StringMarshalling = StringMarshalling.Utf8)]
    public static partial FliteUtterance Synthesize(string text, FliteVoice voice);

    [LibraryImport(Library, EntryPoint = "delete_utterance")]
    public static partial void DeleteUtterance(nint utterance);

    [LibraryImport(Library, EntryPoint = "new_audio_streaming_info")]
    public static unsafe partial StreamingInfo* NewStreamingInfo();

    [LibraryImport(Library, EntryPoint = "audio_streaming_info_val")]
    public static unsafe partial nint StreamingInfoValue(StreamingInfo* info);

    /// <summary>The table keeps <paramref name="name"/> itself and no copy: it must live for ever, as an UTF-8 literal does.</summary>
    [LibraryImport(Library, EntryPoint = "flite_feat_set")]
    public static unsafe partial void SetFeature(nint features, byte* name, nint value);

    /// <inheritdoc cref="SetFeature(nint, byte*, nint)"/>
    [LibraryImport(Library, EntryPoint = "flite_feat_set_float")]
    public static unsafe partial void SetFeature(nint features, byte* name, float value);

    [LibraryImport(Library, EntryPoint = "utt_relation", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Relation(nint utterance, string name);

    [LibraryImport(Library, EntryPoint = "utt_relation_present", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int HasRelation(nint utterance, string name);

    [LibraryImport(Library, EntryPoint = "relation_head")]
    public static partial nint Head(nint relation);

    [LibraryImport(Library, EntryPoint = "item_next")]
    public static partial nint Next(nint item);

    [LibraryImport(Library, EntryPoint = "item_daughter")]
    public static partial nint Daughter(nint item);

    [LibraryImport(Library, EntryPoint = "item_feat_string", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Text(nint item, string name);

    [LibraryImport(Library, EntryPoint = "flite_ffeature_float", StringMarshalling = StringMarshalling.Utf8)]
    public static partial float Number(nint item, string path);

    /// <summary><c>cst_voice</c>, up to what we need.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct VoiceHead
    {
        public nint Name, Features;
    }

    /// <summary><c>cst_wave</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct Wave
    {
        public nint Type;
        public int SampleRateHz, Samples, Channels;
        public short* Pcm;
    }

    /// <summary><c>cst_audio_streaming_info</c>: where sound goes while it is made.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct StreamingInfo
    {
        public int MinimumSamples;
        public delegate* unmanaged<Wave*, int, int, int, StreamingInfo*, int> Callback;
        public nint Utterance, Item, UserData;
    }
}

/// <summary>Owns a <c>cst_utterance</c>.</summary>
internal sealed class FliteUtterance() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        FliteNative.DeleteUtterance(handle);
        return true;
    }
}
