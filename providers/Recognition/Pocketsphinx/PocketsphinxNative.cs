using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace VoiceGrains.Providers.Recognition.Pocketsphinx;

/// <summary>The part of libpocketsphinx 5prealpha's C API that we call. A decoder is used by one thread at a time; different decoders are independent.</summary>
internal static partial class PocketsphinxNative
{
    private const string Library = "libpocketsphinx.so.3";
    private const string Base = "libsphinxbase.so.3";

    [LibraryImport(Library, EntryPoint = "ps_args")]
    public static partial nint Arguments();

    [LibraryImport(Library, EntryPoint = "ps_init")]
    public static partial PocketsphinxHandle Create(CommandLineHandle configuration);

    [LibraryImport(Library, EntryPoint = "ps_free")]
    public static partial int Free(nint decoder);

    [LibraryImport(Library, EntryPoint = "ps_start_stream")]
    public static partial int StartStream(PocketsphinxHandle decoder);

    [LibraryImport(Library, EntryPoint = "ps_start_utt")]
    public static partial int StartUtterance(PocketsphinxHandle decoder);

    [LibraryImport(Library, EntryPoint = "ps_process_raw")]
    public static unsafe partial int Process(PocketsphinxHandle decoder, short* samples, nuint count, int withoutSearch, int wholeUtterance);

    [LibraryImport(Library, EntryPoint = "ps_end_utt")]
    public static partial int EndUtterance(PocketsphinxHandle decoder);

    [LibraryImport(Library, EntryPoint = "ps_get_hyp")]
    public static partial nint Hypothesis(PocketsphinxHandle decoder, nint score);

    [LibraryImport(Library, EntryPoint = "ps_get_in_speech")]
    public static partial byte InSpeech(PocketsphinxHandle decoder);

    [LibraryImport(Library, EntryPoint = "ps_get_feat")]
    public static unsafe partial FeatureHead* Features(PocketsphinxHandle decoder);

    [LibraryImport(Base, EntryPoint = "cmd_ln_parse_r")]
    public static unsafe partial CommandLineHandle ParseCommandLine(nint initial, nint definitions, int count, nint* values, int strict);

    [LibraryImport(Base, EntryPoint = "cmd_ln_free_r")]
    public static partial int FreeCommandLine(nint configuration);

    [LibraryImport(Base, EntryPoint = "err_set_logfp")]
    public static partial void SetLogFile(nint file);

    /// <summary>The head of <c>feat_t</c> (sphinxbase/feat.h, soname 3), up to the one field that no function gives.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct FeatureHead
    {
        public int References;
        public nint Name;
        public int CepstrumSize, Streams;
        public nint StreamLengths;
        public int WindowSize, Subvectors;
        public nint SubvectorLengths, SubvectorIndices, SubvectorBuffer;
        public int SubvectorSize, CmnType, VarianceNorm, AgcType;
        public nint Compute;
        public CepstralMean* Mean;
    }

    /// <summary><c>cmn_t</c> (sphinxbase/cmn.h): the running cepstral mean.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public unsafe struct CepstralMean
    {
        public float* Mean, Variance, Sum;
        public int Frames, Length;
    }
}

/// <summary>Owns a <c>ps_decoder_t</c>.</summary>
internal sealed class PocketsphinxHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => PocketsphinxNative.Free(handle) >= 0;
}

/// <summary>Owns a <c>cmd_ln_t</c>.</summary>
internal sealed class CommandLineHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => PocketsphinxNative.FreeCommandLine(handle) >= 0;
}
