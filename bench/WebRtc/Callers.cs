using System.Diagnostics;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>Callers that all speak, their packets spread evenly over 20 ms, on one thread.</summary>
internal sealed class Callers(IReadOnlyList<Caller> callers, Speech speech) : IDisposable
{
    private const int Phases = 20;              // of a millisecond
    private const int FramesPerCheck = 125;     // 2.5 s
    private Thread? _thread;
    private volatile bool _isStopped;
    private int _tick;
    private long _sent;

    /// <summary>Packets of sound.</summary>
    public long Sent => Volatile.Read(ref _sent);

    public long Received => callers.Sum(caller => caller.Received);

    public void Start()
    {
        _isStopped = false;
        _thread = new Thread(Run) { Name = "callers" };
        _thread.Start();
    }

    public void Stop()
    {
        _isStopped = true;
        _thread?.Join();
    }

    public void Dispose() => Stop();

    private void Run()
    {
        var began = Stopwatch.StartNew();
        for (var first = _tick; !_isStopped; _tick++)
        {
            while (began.ElapsedMilliseconds < _tick - first) Thread.Sleep(1);
            for (var i = _tick % Phases; i < callers.Count; i += Phases)
            {
                var frame = _tick / Phases + 7 * i;
                callers[i].Drain();
                callers[i].Speak(speech.Packet(frame));
                _sent++;
                if (frame % FramesPerCheck == 0) callers[i].Check();
            }
        }
    }
}
