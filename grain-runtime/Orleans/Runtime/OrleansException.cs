namespace Orleans.Runtime;

/// <summary>Base of the runtime's own errors, as opposed to those of grain code.</summary>
public class OrleansException : Exception
{
    public OrleansException() : this("Unexpected error.")
    {
    }

    public OrleansException(string message) : base(message)
    {
    }

    public OrleansException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
