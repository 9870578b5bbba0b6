using System.Runtime.InteropServices;

namespace VoiceGrains.Media;

/// <summary>The part of libopus (opus.h) that <see cref="OpusDecoder"/> and <see cref="OpusEncoder"/> use.</summary>
internal static unsafe partial class LibOpus
{
    internal const int ApplicationVoip = 2048;
    internal const int SetBitrate = 4002;
    internal const int SetComplexity = 4010;
    internal const int SetInbandFec = 4012;
    internal const int SetPacketLossPercent = 4014;
    internal const int SetDtx = 4016;
    internal const int ResetState = 4028;
    private const string Library = "libopus.so.0";

    [LibraryImport(Library, EntryPoint = "opus_decoder_create")]
    internal static partial DecoderHandle DecoderCreate(int sampleRate, int channels, out int error);

    [LibraryImport(Library, EntryPoint = "opus_decoder_destroy")]
    internal static partial void DecoderDestroy(nint state);

    /// <summary>No data is a lost packet. Returns samples for each channel, or a negative error.</summary>
    [LibraryImport(Library, EntryPoint = "opus_decode")]
    internal static partial int Decode(DecoderHandle state, byte* data, int length, short* pcm, int frameSize, int decodeFec);

    // The ctl functions are variadic. On 64-bit Linux (x86-64, Arm) an integer goes where a named parameter would, so plain signatures call them correctly.
    [LibraryImport(Library, EntryPoint = "opus_decoder_ctl")]
    internal static partial int DecoderControl(DecoderHandle state, int request);

    [LibraryImport(Library, EntryPoint = "opus_encoder_create")]
    internal static partial EncoderHandle EncoderCreate(int sampleRate, int channels, int application, out int error);

    [LibraryImport(Library, EntryPoint = "opus_encoder_destroy")]
    internal static partial void EncoderDestroy(nint state);

    /// <summary>Returns the packet's bytes, or a negative error.</summary>
    [LibraryImport(Library, EntryPoint = "opus_encode")]
    internal static partial int Encode(EncoderHandle state, short* pcm, int frameSize, byte* data, int capacity);

    [LibraryImport(Library, EntryPoint = "opus_encoder_ctl")]
    internal static partial int EncoderControl(EncoderHandle state, int request, int value);

    internal sealed class DecoderHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DecoderDestroy(handle);
            return true;
        }
    }

    internal sealed class EncoderHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            EncoderDestroy(handle);
            return true;
        }
    }
}
