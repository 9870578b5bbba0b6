using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using VoiceGrains.Bench.WebRtc;
using VoiceGrains.Media;

namespace VoiceGrains.Bench.Micro;

/// <summary>
/// What a WebRTC call's sound costs beyond its codec: 20 ms of human speech both ways through libopus alone, and through jitter buffer and sender. Both
/// encode and decode the same at 48 kHz.
/// </summary>
[MemoryDiagnoser]
public partial class OpusBenchmarks : IDisposable
{
    private const int RateHz = 48_000;
    private const int FrameSamples = RateHz / 50;
    private readonly OpusEncoderOptions _options = new();
    private readonly SteppingClock _clock = new();
    private readonly Speech _speech = new();
    private readonly short[] _pcm = new short[FrameSamples];
    private readonly byte[] _packet = new byte[OpusEncoder.MaxPacketBytes];
    private readonly AudioReceiver _receiver;
    private readonly OpusSender _sender;
    private readonly nint _decoder;
    private readonly nint _encoder;
    private int _at;
    private int _sent;

    public OpusBenchmarks()
    {
        _receiver = new AudioReceiver(new() { SampleRateHz = RateHz }, _clock);
        _sender = new OpusSender(new() { Encoder = _options }, (opus, _, _) => _sent += opus.Length, _clock);
        _decoder = DecoderCreate(RateHz, 1, out _);
        _encoder = EncoderCreate(RateHz, 1, application: 2048, out _);
        EncoderControl(_encoder, request: 4002, _options.BitrateBps);
        EncoderControl(_encoder, request: 4010, _options.Complexity);
        EncoderControl(_encoder, request: 4012, 1);
    }

    [Benchmark(Baseline = true)]
    public unsafe int BareOpus()
    {
        var frame = Next();
        fixed (short* pcm = _pcm)
        fixed (byte* packet = _speech.Packets[frame])
            Decode(_decoder, packet, _speech.Packets[frame].Length, pcm, FrameSamples, 0);
        fixed (short* speech = _speech.Frame(frame))
        fixed (byte* packet = _packet)
            return Encode(_encoder, speech, FrameSamples, packet, _packet.Length);
    }

    [Benchmark]
    public int ReceiverAndSender()
    {
        var frame = Next();
        _clock.Step();
        _receiver.Put((ushort)_at, (uint)(_at * FrameSamples), _speech.Packets[frame]);
        _receiver.Take(_pcm);
        if (!_sender.TryWrite(_speech.Frame(frame))) throw new InvalidOperationException("The sender took nothing.");
        _sender.Tick(_clock.GetTimestamp());
        return _sent;
    }

    /// <summary>The sender's part while the agent is silent.</summary>
    [Benchmark]
    public int SilentSender()
    {
        _clock.Step();
        _sender.Tick(_clock.GetTimestamp());
        return _sent;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
        DecoderDestroy(_decoder);
        EncoderDestroy(_encoder);
        GC.SuppressFinalize(this);
    }

    private int Next() => ++_at % _speech.Frames;

    [LibraryImport("libopus.so.0", EntryPoint = "opus_decoder_create")]
    private static partial nint DecoderCreate(int rate, int channels, out int error);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_decode")]
    private static unsafe partial int Decode(nint state, byte* data, int length, short* pcm, int frameSize, int decodeFec);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_decoder_destroy")]
    private static partial void DecoderDestroy(nint state);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_encoder_create")]
    private static partial nint EncoderCreate(int rate, int channels, int application, out int error);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_encoder_ctl")]
    private static partial int EncoderControl(nint state, int request, int value);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_encode")]
    private static unsafe partial int Encode(nint state, short* pcm, int frameSize, byte* data, int capacity);

    [LibraryImport("libopus.so.0", EntryPoint = "opus_encoder_destroy")]
    private static partial void EncoderDestroy(nint state);

    /// <summary>Goes on by one frame at a time.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => RateHz;

        public override long GetTimestamp() => _now;

        public void Step() => _now += FrameSamples;
    }
}
