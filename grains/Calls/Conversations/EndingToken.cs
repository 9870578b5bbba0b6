namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// A cancellation token below a longer-lived one, for something of which a call has many: once it is cancelled or disposed, the parent
/// no longer holds it, while the token itself stays readable for those that come late.
/// </summary>
internal sealed class EndingToken : IDisposable
{
    private readonly CancellationTokenSource _source;
    private bool _isOver;

    public EndingToken(CancellationToken parent)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(parent);
        Token = _source.Token;
    }

    public CancellationToken Token { get; }

    public void Cancel()
    {
        if (_isOver) return;
        _source.Cancel();
        Dispose();
    }

    public void Dispose()
    {
        if (_isOver) return;
        _isOver = true;
        _source.Dispose();
    }
}
