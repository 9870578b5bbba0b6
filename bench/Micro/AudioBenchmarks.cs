using BenchmarkDotNet.Attributes;
using VoiceGrains.Cli.Load;
using VoiceGrains.Media;

namespace VoiceGrains.Bench.Micro;

/// <summary>Cost of one call's audio, in units of one frame of human speech.</summary>
[MemoryDiagnoser]
public class AudioBenchmarks : IPlayoutSink, IDisposable
{
    private const int RateHz = 16_000;
    private const int FrameSamples = RateHz / 50;
    private readonly VoiceActivityDetector _vad = new();
    private readonly Resampler _down = new(48_000, RateHz);
    private readonly Resampler _up = new(8_000, RateHz);
    private readonly short[] _resampled = new short[2 * FrameSamples];
    private readonly short[] _speech;
    private readonly Playout _playout;
    private long _now;
    private int _at;

    public AudioBenchmarks()
    {
        _speech = new short[new FileInfo(LoadCommand.Speech).Length / sizeof(short)];
        Pcm.FromBytes(File.ReadAllBytes(LoadCommand.Speech), _speech);
        _playout = new Playout(RateHz, TimeSpan.FromSeconds(10)) { Sink = this };
    }

    /// <summary>32 ms, 31.25 times a second in every call.</summary>
    [Benchmark]
    public float VadFrame() => _vad.Process(Next(VoiceActivityDetector.FrameSamples));

    /// <summary>20 ms from a browser's rate to the detector's.</summary>
    [Benchmark]
    public int ResampleFrom48000() => _down.Process(Next(960), _resampled);

    /// <summary>20 ms from a telephone's rate to the detector's.</summary>
    [Benchmark]
    public int ResampleFrom8000() => _up.Process(Next(160), _resampled);

    /// <summary>A pacer's tick while the agent is silent, 100 times a second in every call.</summary>
    [Benchmark]
    public void IdleTick() => _playout.Tick(_playout.OriginTimestamp);

    /// <summary>A frame written by the synthesizer and sent by the pacer: 50 times a second while the agent speaks.</summary>
    [Benchmark]
    public void SpeakFrame()
    {
        if (_now == 0)
        {
            _now = _playout.OriginTimestamp;
            _playout.BeginUtterance(1);
        }
        if (!_playout.WriteAsync(_speech.AsMemory(0, FrameSamples), CancellationToken.None).GetAwaiter().GetResult()) throw new InvalidOperationException("The playout took nothing.");
        _playout.Tick(_now += TimeProvider.System.TimestampFrequency / 50);
    }

    public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition) => true;

    public void OnUtteranceStarted(int utteranceId)
    {
    }

    public void OnMark(int utteranceId, int markId)
    {
    }

    public void OnUnderrun(int utteranceId)
    {
    }

    public void OnUtterancePlayed(int utteranceId)
    {
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _playout.Dispose();
        _down.Dispose();
        _up.Dispose();
    }

    private ReadOnlySpan<short> Next(int samples)
    {
        if (_at + samples > _speech.Length) _at = 0;
        var frame = _speech.AsSpan(_at, samples);
        _at += samples;
        return frame;
    }
}
