namespace Orleans.Runtime;

/// <summary>The host or a grain class is set up wrongly.</summary>
public sealed class OrleansConfigurationException : Exception
{
    public OrleansConfigurationException(string message) : base(message)
    {
    }

    public OrleansConfigurationException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
