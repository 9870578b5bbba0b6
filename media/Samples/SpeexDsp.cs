using System.Runtime.InteropServices;

namespace VoiceGrains.Media;

/// <summary>The part of libspeexdsp (speex_resampler.h) that <see cref="Resampler"/> uses.</summary>
internal static unsafe partial class SpeexDsp
{
    private const string Library = "libspeexdsp.so.1";

    [LibraryImport(Library, EntryPoint = "speex_resampler_init")]
    internal static partial ResamplerHandle ResamplerInit(uint channels, uint inputRate, uint outputRate, int quality, out int error);

    [LibraryImport(Library, EntryPoint = "speex_resampler_destroy")]
    internal static partial void ResamplerDestroy(nint state);

    /// <summary>In: lengths available. Out: samples consumed and written.</summary>
    [LibraryImport(Library, EntryPoint = "speex_resampler_process_int")]
    internal static partial int ResamplerProcess(ResamplerHandle state, uint channel, short* input, ref uint inputLength, short* output, ref uint outputLength);

    [LibraryImport(Library, EntryPoint = "speex_resampler_get_input_latency")]
    internal static partial int ResamplerInputLatency(ResamplerHandle state);

    [LibraryImport(Library, EntryPoint = "speex_resampler_skip_zeros")]
    internal static partial int ResamplerSkipZeros(ResamplerHandle state);

    [LibraryImport(Library, EntryPoint = "speex_resampler_reset_mem")]
    internal static partial int ResamplerReset(ResamplerHandle state);

    internal sealed class ResamplerHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            ResamplerDestroy(handle);
            return true;
        }
    }
}
